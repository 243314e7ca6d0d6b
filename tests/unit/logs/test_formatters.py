"""Lines for machines and for people, whatever a client wrote."""

import json
import logging
import re
from collections.abc import Iterator

import pytest

from facewire_server.events import Event, InternalError, StreamOpened
from facewire_server.logs.formatters import JsonLines, Text
from facewire_server.logs.listener import LogListener
from facewire_server.logs.rate_limit import RateLimit
from fakes.events import SAMPLES, stream_ended

HOSTILE = [
    "line\nbreak",
    "carriage\rreturn",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m eight bits",
    "nul\x00 bell\x07 del\x7f",
    "next\x85line para\u2029graph",
    "right\u202eto left",
    "zero\u200bwidth \ufeff \U000e0001",
    'level=error event="stopped"',
    "\\u001b \\",
    "a=b c=d",
    "%s %(message)s {0}",
    "\U0001f600" * 32,
    "\x1b" * 128,
]
ODD = re.compile(r"[^ -~]")
"""What is no printable ASCII."""


class Lines(logging.Handler):
    """Keeps the lines of both formats."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.json: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(Text().format(record))
        self.json.append(JsonLines().format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


def log(event: Event) -> None:
    LogListener(RateLimit())(event)


@pytest.mark.parametrize("camera_id", HOSTILE)
def test_a_hostile_camera_id_breaks_no_line_and_no_terminal(lines: Lines, camera_id: str) -> None:
    log(StreamOpened(camera_id, camera_id))
    (text,), (line,) = lines.text, lines.json
    assert text.isprintable()
    assert not ODD.search(line)
    assert json.loads(line)["camera_id"] == camera_id
    # Quoted, so that it cannot pass for fields of the server's.
    quoted = re.search(r"camera_id=(\"(?:[^\"\\]|\\.)*\"|\S+) peer=", text)
    assert quoted
    shown = quoted[1]
    assert (json.loads(shown) if shown.startswith('"') else shown) == camera_id


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_every_entry_is_a_json_object_of_one_line(lines: Lines, event: Event) -> None:
    log(event)
    (line,) = lines.json
    entry = json.loads(line)
    assert "\n" not in line
    assert list(entry)[:3] == ["time", "level", "event"]
    assert entry["level"] in ("info", "warning", "error")


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_every_entry_is_readable_text(lines: Lines, event: Event) -> None:
    log(event)
    (text,) = lines.text
    first, *below = text.split("\n")
    assert re.fullmatch(r"\d\d:\d\d:\d\d (info   |warning|error  ) [a-z ]{1,19}( .*)?", first)
    assert all(line.startswith(" " * 17) for line in below)
    assert not set("{}[]'") & set(text.replace("[::1]", "")), "that is Python, not text"


def test_fields_of_a_line_stand_below_each_other(lines: Lines) -> None:
    log(StreamOpened("a", "ipv4:127.0.0.1:1"))
    log(stream_ended())
    opened, ended = lines.text
    assert opened.index("camera_id=") == ended.index("camera_id=")
    assert opened.endswith("stream opened       camera_id=a peer=127.0.0.1:1")
    assert ended.endswith(
        'stream ended        camera_id="front door" peer=[::1]:4433 duration_s=12.346 '
        "recognized=3 failed=1 skipped=2 median_s=0.042 searched=2 tracks=1 reason=closed"
    )


def test_the_start_is_a_block_of_few_lines(lines: Lines) -> None:
    log(SAMPLES[0])
    first, *below = lines.text[0].split("\n")
    assert "model_contract=sface" in first
    assert [line.split()[0] for line in below] == ["data", "engines", "limits", "settings"]
    assert below[0].split(maxsplit=1)[1] == 'folder="/srv/my data" is_new=no people=0'
    assert 'FACEWIRE_DATA="my data"' in below[-1]
    assert "FACEWIRE_MAX_STREAMS" not in below[-1], "it is at its default"
    assert json.loads(lines.json[0])["settings"]["FACEWIRE_MAX_STREAMS"] == "64"


def test_a_stack_stands_below_its_entry(lines: Lines) -> None:
    log(InternalError("abc", 'builtins.KeyError\n  File "a.py", line 1, in \x1bf\n'))
    first, *below = lines.text[0].split("\n")
    assert first.endswith("internal error      log_id=abc")
    assert [line.strip() for line in below] == [
        "builtins.KeyError",
        'File "a.py", line 1, in \\u001bf',
    ]


def test_a_librarys_exception_is_logged_without_its_message(lines: Lines) -> None:
    name = "".join(["al", "ice"])  # not in the source line that a stack quotes
    try:
        raise KeyError(name)
    except KeyError:
        logging.getLogger("grpc._cython").exception("failed in %s", "a method\n")
    entry = json.loads(lines.json[0])
    assert entry["event"] == "library_message"
    assert (entry["logger"], entry["message"]) == ("grpc._cython", "failed in a method\n")
    assert "KeyError" in entry["stack"]
    assert name not in lines.text[0] + lines.json[0]
