"""Decodes pictures in a process that may die: its memory and its processor time are limited and measured, picture by picture.

Run as a module it is that process: `Guarded` starts it.
"""

import os
import pickle
import resource
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple

import cv2

from facewire_server.errors import ServerError
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits
from harness import REPOSITORY

__all__ = ["Guarded", "Outcome"]

_MMAP_FROM_BYTES: Final = 1 << 16
"""Allocations from this size on are given back when they are freed, so that each picture's peak is its own."""


class Outcome(NamedTuple):
    """The outcome of one picture.

    Attributes:
        refusal: the error's text; "" = accepted; "died: SIGXCPU" and the like if the process did not survive it.
        reason: the error's class; "" = accepted.
        width_px, height_px: of the upright picture; 0 if it was not accepted.
        peak_bytes: growth of resident memory while it was walked and decoded.
        cpu_s: seconds of processor time.
        line_count: lines that libraries wrote to standard error.
    """

    refusal: str
    reason: str
    width_px: int
    height_px: int
    peak_bytes: int
    cpu_s: float
    line_count: int


class Guarded:
    """A context manager around the process; one picture at a time."""

    def __init__(self, limits: PictureLimits, *, memory_bytes: int, cpu_s: int) -> None:
        """Starts nothing yet.

        Args:
            limits: of a picture.
            memory_bytes: most address space beyond what the process has when it is ready.
            cpu_s: most seconds of processor time of one picture.
        """
        self._settings = (limits, memory_bytes, cpu_s)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Guarded":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def decode(self, picture: Picture) -> Outcome:
        """Walks and decodes one picture."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(picture, process.stdin)
            process.stdin.flush()
            outcome: Outcome = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            process.communicate()
            self._process = None
            died = f"died: {signal.Signals(-process.returncode).name if process.returncode < 0 else process.returncode}"
            return Outcome(died, "died", 0, 0, 0, 0.0, 0)
        return outcome

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.guarded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "server")]),
                "MALLOC_MMAP_THRESHOLD_": str(_MMAP_FROM_BYTES),
                "MALLOC_TRIM_THRESHOLD_": str(_MMAP_FROM_BYTES),
                "MALLOC_ARENA_MAX": "1",
            },
        )
        assert process.stdin is not None
        pickle.dump(self._settings, process.stdin)
        return process


def _status_bytes(name: str) -> int:
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) * 1024


def _measured(picture: Picture, limits: PictureLimits, cpu_s: int, lines: BinaryIO) -> Outcome:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(spent.ru_utime + spent.ru_stime) + 1 + cpu_s, hard)
    )
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins again (proc(5))
    before, started = _status_bytes("VmRSS"), time.process_time()
    lines.seek(0)
    lines.truncate()
    refusal, reason, width, height = "", "", 0, 0
    try:
        image = decode(picture, read_header(picture, limits))
        height, width = image.shape[:2]
        del image
    except ServerError as error:
        refusal, reason = str(error), type(error).__name__
    cpu = time.process_time() - started
    peak = max(0, _status_bytes("VmHWM") - before)
    lines.seek(0)
    return Outcome(refusal, reason, width, height, peak, cpu, lines.read().count(b"\n"))


def _serve() -> None:
    cv2.setNumThreads(1)
    limits, memory_bytes, cpu_s = pickle.load(sys.stdin.buffer)
    most = _status_bytes("VmSize") + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with os.fdopen(os.memfd_create("lines"), "r+b", buffering=0) as lines:
        os.dup2(lines.fileno(), 2)
        while True:
            try:
                picture = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            outcome = _measured(picture, limits, cpu_s, lines)
            pickle.dump(outcome, sys.stdout.buffer)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    # The classes by their importable names, so that the pickles fit.
    from harness import guarded

    guarded._serve()
