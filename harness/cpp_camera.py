"""The program `camera` of the C++ client as a process, and what it printed."""

import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

__all__ = ["CppCamera", "Line", "Reopened"]

_PATIENCE_S: Final = 100.0
"""Seconds to wait for what a busy machine does in seconds."""

_FRAME: Final = re.compile(r"frame (\d+) (\w+)(?: (-?[\d.]+) ms)?(?:: (.*))?$")
_SKIPPED: Final = re.compile(r"skipped (\d+)-(\d+) (\w+): (\d+)$")
_REOPENED: Final = re.compile(r"again in ([\d.]+) s: (\w+): (.*)$")


class Line(NamedTuple):
    """What one line accounts for.

    Attributes:
        first, last: the numbers of the frames.
        frame_count: how many of them were sent.
        status: of a frame with a result, or why the frames were skipped.
        age_ms: from the frame's capture to its line; 0 of skipped frames, and of a recording's.
        names: of the faces.
    """

    first: int
    last: int
    frame_count: int
    status: str
    age_ms: float = 0.0
    names: tuple[str, ...] = ()


class Reopened(NamedTuple):
    """The stream is opened again: the pause before, seconds, the reason, and the text."""

    pause_s: float
    reason: str
    detail: str


class CppCamera:
    """Runs the program in a `with` block, at whose end it must end cleanly.

    Attributes:
        accounted: lines about frames, in order of their coming.
        events: lines about people: "came: Ada (track 1)".
        reopened: each time that the stream is opened again.
        errors: all other lines of its standard error, for example of a sanitizer.
        pid: of the process.
    """

    def __init__(self, program: Path, source: Path, server: str, *flags: str) -> None:
        """Takes the command line; `--frames` is added.

        Args:
            program: the program.
            source: a folder of JPEGs, or a device.
            server: "host:port".
            *flags: further ones.
        """
        self.accounted: list[Line] = []
        self.events: list[str] = []
        self.reopened: list[Reopened] = []
        self.errors: list[str] = []
        self.pid = 0
        self._command = [str(program), "--server", server, "--frames", *flags, str(source)]
        self._news = threading.Condition()
        self._has_ended = False

    def until(self, holds: Callable[[], object]) -> None:
        """Waits until something holds, asking after each line and at the end of the process.

        Raises:
            TimeoutError: it did not, or the process ended before.
        """
        with self._news:
            self._news.wait_for(lambda: holds() or self._has_ended, _PATIENCE_S)
            if not holds():
                raise TimeoutError(f"{self._summary()}\n{self.errors[-20:]}")

    def until_reopened(self, count: int) -> None:
        """Waits until the stream was opened again more often than this."""
        self.until(lambda: len(self.reopened) > count)

    def until_results(self, count: int) -> None:
        """Waits for this many further frames with a result."""
        wanted = self.result_count + count
        self.until(lambda: self.result_count >= wanted)

    @property
    def result_count(self) -> int:
        """Frames with a result so far."""
        return sum(
            line.status in ("OK", "INVALID", "UNAVAILABLE", "TIMED_OUT") for line in self.accounted
        )

    @property
    def names(self) -> set[str]:
        """Names of all faces."""
        return {name for line in self.accounted for name in line.names}

    def is_in_order(self) -> bool:
        """Whether every number from 1 on is accounted for exactly once, and in order."""
        following = [1, *(line.last + 1 for line in self.accounted)]
        return all(
            line.first == number and line.frame_count == line.last - line.first + 1
            for line, number in zip(self.accounted, following, strict=False)
        )

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Returns the exit status, when the process has ended by itself and its lines are read."""
        status = self._process.wait(_PATIENCE_S)
        for reader in self._readers:
            reader.join(_PATIENCE_S)
        return status

    def end(self) -> int:
        """Asks the process to end (SIGTERM), and returns the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def _summary(self) -> str:
        statuses = Counter(line.status for line in self.accounted)
        return f"{dict(statuses)}, opened again: {self.reopened}"

    def _read(self, stream: IO[str], take: Callable[[str], None]) -> None:
        for line in stream:
            with self._news:
                take(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._has_ended = stream is self._process.stdout or self._has_ended
            self._news.notify_all()

    def _take_output(self, line: str) -> None:
        if found := _FRAME.match(line):
            number, status, age_ms, names = found.groups()
            parts = tuple(names.split(", ")) if names and status == "OK" else ()
            self.accounted.append(
                Line(int(number), int(number), 1, status, float(age_ms or 0), parts)
            )
        elif found := _SKIPPED.match(line):
            first, last, reason, count = found.groups()
            self.accounted.append(Line(int(first), int(last), int(count), reason))
        else:
            self.events.append(line)

    def _take_error(self, line: str) -> None:
        if found := _REOPENED.match(line):
            self.reopened.append(Reopened(float(found[1]), found[2], found[3]))
        else:
            self.errors.append(line)

    def _threads(self) -> Iterator[threading.Thread]:
        streams: Sequence[tuple[IO[str] | None, Callable[[str], None]]] = (
            (self._process.stdout, self._take_output),
            (self._process.stderr, self._take_error),
        )
        for stream, take in streams:
            assert stream is not None
            yield threading.Thread(target=self._read, args=(stream, take), daemon=True)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self._readers = list(self._threads())
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process:
            if self._process.poll() is None and error is None:
                self.end()
            self._process.kill()
            for reader in self._readers:
                reader.join(_PATIENCE_S)
