"""Lines that libraries in C write to file descriptor 2, in a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes.odd_pictures import encoded

PROBE = """
import asyncio, os, sys
from facewire_server.logs import logging_to_stderr
from facewire_server.events import Stopped

async def run():
    with logging_to_stderr("json") as emit:
        exec(sys.argv[1])
        await asyncio.sleep(0)
    # The lines are all read now; what they caused on the loop comes next.
    await asyncio.sleep(0)
    emit(Stopped())
    print("afterwards", file=sys.stderr)

asyncio.run(run())
"""


def lines_of(repository: Path, code: str, *, exit_status: int = 0) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE, code],
        env={"PYTHONPATH": str(repository / "server")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == exit_status, done.stderr
    return done.stderr.splitlines()


def entries_of(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_lines_become_entries_and_then_standard_error_is_itself_again(repository: Path) -> None:
    code = r"os.write(2, b'Corrupt data: \x1b[31m premature end\n\nlibfoo error: x\xff\nno end')"
    *entries, last = lines_of(repository, code)
    assert last == "afterwards"
    found = entries_of(entries)
    assert {entry["logger"] for entry in found[:-1]} == {"stderr"}
    assert [entry.get("message") for entry in found] == [
        "Corrupt data: \x1b[31m premature end",
        "libfoo error: x\ufffd",
        "no end",
        None,
    ]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (
            "I1126 12:25:38.556839    5413 ssl_transport_security.cc:2563] Handshake failed with "
            "error SSL_ERROR_SSL: error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST: "
            "Invalid certificate verification context",
            {"level": "warning", "event": "tls_failed", "reason": "HTTP_REQUEST"},
        ),
        (
            "I1126 12:25:38.5 5413 ssl_transport_security.cc:1] Handshake failed with error "
            "SSL_ERROR_SYSCALL",
            {"level": "warning", "event": "tls_failed", "reason": "SSL_ERROR_SYSCALL"},
        ),
        (
            "E1126 12:25:38.5 5413 tcp_posix.cc:1] oh",
            {
                "level": "error",
                "event": "library_message",
                "logger": "stderr",
                "message": "E1126 12:25:38.5 5413 tcp_posix.cc:1] oh",
                "stack": "",
            },
        ),
    ],
)
def test_grpcs_lines_are_told_apart(repository: Path, line: str, entry: dict[str, str]) -> None:
    found = entries_of(lines_of(repository, f"os.write(2, {line.encode()!r})")[:-2])
    assert [{**found[0], "time": ""}] == [{"time": "", **entry}]


def test_a_flood_is_cut_and_counted_and_holds_nothing_up(repository: Path) -> None:
    code = "for _ in range(200_000):\n try: os.write(2, b'libfoo error\\n')\n except OSError: pass"
    entries = entries_of(lines_of(repository, code)[:-1])
    *messages, summary, stopped = entries
    assert {entry["event"] for entry in messages} == {"library_message"}
    assert 100 <= len(messages) < 200
    assert summary["suppressed_event"] == "library_message"
    assert summary["count"] > 1000
    assert stopped["event"] == "stopped"


def test_lines_of_decoders_are_counted_and_not_written(repository: Path) -> None:
    code = (
        r"os.write(2, b'Corrupt JPEG data: premature end of data segment\n' * 300);"
        r"os.write(2, b'libpng error: IDAT: CRC error\nlibpng warning: x\n');"
        r"os.write(2, b'[ WARN:0@0.077] global grfmt_png.cpp:793 readFromStreamOrBuffer x\n');"
        r"os.write(2, b'[ WARN:0@0.077] global cap.cpp:1 x\n')"
    )
    message, summary, stopped = entries_of(lines_of(repository, code)[:-1])
    assert message["message"] == "[ WARN:0@0.077] global cap.cpp:1 x"
    assert (summary["suppressed_event"], summary["count"]) == ("decoder_line", 303)
    assert stopped["event"] == "stopped"


def test_what_real_decoders_write_is_recognized(repository: Path, tmp_path: Path) -> None:
    """Each picture makes its decoder write something, and nothing of it reaches the log."""
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    jpeg, png, gif = encoded(noise, "JPEG"), bytearray(encoded(noise, "PNG")), encoded(noise, "GIF")
    png[3000:3100] = bytes(100)
    damaged = [
        jpeg[:9000] + b"\xff\xd9",
        jpeg[:5000] + bytes(9) + jpeg[5000:],
        jpeg[:20] + b"xx" + jpeg[20:],
        bytes(png),
        gif[:900],
    ]
    for number, data in enumerate(damaged):
        (tmp_path / f"{number}.picture").write_bytes(data)
    code = (
        "import cv2; from pathlib import Path\n"
        "cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)\n"
        f"for path in Path({str(tmp_path)!r}).iterdir(): cv2.imread(str(path))"
    )
    entries = entries_of(lines_of(repository, code)[:-1])
    assert [entry["event"] for entry in entries] == ["suppressed", "stopped"], entries
    assert entries[0]["suppressed_event"] == "decoder_line"
    assert entries[0]["count"] >= 4


def test_a_library_that_holds_pythons_lock_is_not_held_up(repository: Path) -> None:
    code = "import ctypes; ctypes.PyDLL(None).write(2, b'libfoo error\\n' * 100_000, 1_300_000)"
    entries = entries_of(lines_of(repository, code)[:-1])
    assert entries[0]["message"] == "libfoo error"
    assert entries[-1]["event"] == "stopped"


def test_a_crash_leaves_its_stack(repository: Path) -> None:
    lines = lines_of(repository, "os.abort()", exit_status=-6)
    assert lines[0] == "Fatal Python error: Aborted"


def test_a_server_outlives_the_reader_of_its_log(repository: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = "for _ in range(1000): emit(Stopped())\nprint('alive', flush=True)"
    done = subprocess.run(
        [sys.executable, "-c", PROBE.replace('print("afterwards", file=sys.stderr)', ""), code],
        env={"PYTHONPATH": str(repository / "server")},
        stdout=subprocess.PIPE,
        stderr=writing,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stdout) == (0, b"alive\n")
