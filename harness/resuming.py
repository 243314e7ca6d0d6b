"""Cameras and callers of the SDK that go on through everything worth another attempt, and count what they saw."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import facewire

__all__ = ["Caller", "ResumingCamera", "Watched"]

_PATIENCE_S: Final = 240.0
_ENDINGS: Final = (facewire.SkipReason.CONNECTION_LOST, facewire.SkipReason.SHUTTING_DOWN)


class Watched(threading.Thread):
    """A client in a thread, which runs in a `with` block.

    Attributes:
        answers: right answers: "ada", and no one else.
        wrong: other names, statuses other than OK, and frames out of order.
        lost: frames without an answer because a connection or a server ended.
        errors: what the client went on after, by class and reason.
        longest_gap_s: longest time between two right answers.
        failure: the error that ended the client, or None.
    """

    def __init__(
        self, address: str, certificate: Path, token: str, picture: bytes, *, apart_s: float
    ) -> None:
        """Connects.

        Args:
            address: of the proxy or server.
            certificate: that its own is checked with.
            token: of the server.
            picture: of "ada", whom the server knows.
            apart_s: pause between two pictures.
        """
        super().__init__(daemon=True)
        self.answers = 0
        self.wrong: Counter[str] = Counter()
        self.lost = 0
        self.errors: Counter[str] = Counter()
        self.longest_gap_s = 0.0
        self.failure: BaseException | None = None
        self._client = facewire.Client(address, token=token, root_certificates=certificate)
        self._picture = picture
        self._apart_s = apart_s
        self._finished = threading.Event()
        self._news = threading.Condition()
        self._last_s: float | None = None

    def run(self) -> None:
        """Works until the `with` block ends, or until an error that is not worth another attempt."""
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - raised by `until`, in the caller's thread
            if not self._finished.is_set():
                self.failure = error
                self._notify()

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds, asking after each answer and error.

        Raises:
            TimeoutError: it did not.
            BaseException: what ended the client.
        """
        with self._news:
            in_time = self._news.wait_for(lambda: self.failure or holds(), timeout=_PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        if not in_time:
            raise TimeoutError(f"{self.answers} answers, {self.errors}, {self.wrong}, {self.lost}")

    def until_answers(self, count: int) -> None:
        """Waits for further right answers."""
        least = self.answers + count
        self.until(lambda: self.answers >= least)

    def forget_gap(self) -> None:
        """Measures `longest_gap_s` from now on."""
        self.longest_gap_s = 0.0

    def _work(self) -> None:
        raise NotImplementedError

    def _note_faces(self, faces: tuple[facewire.Face, ...]) -> None:
        names = [face.decision.identity_id for face in faces]
        if names != ["ada"]:
            self.wrong[str(names)] += 1
            return
        now_s = time.monotonic()
        if self._last_s is not None:
            self.longest_gap_s = max(self.longest_gap_s, now_s - self._last_s)
        self._last_s = now_s
        self.answers += 1
        self._notify()

    def _note_error(self, error: facewire.FacewireError, _: float = 0.0) -> None:
        reason = "" if error.reason is facewire.ErrorReason.UNSPECIFIED else error.reason.value
        self.errors[f"{type(error).__name__} {reason}".strip()] += 1
        self._notify()

    def _notify(self) -> None:
        with self._news:
            self._news.notify_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._finished.set()
        self._client.close()
        self.join(_PATIENCE_S)


class ResumingCamera(Watched):
    """Streams one picture over and over, on a stream that the SDK opens again."""

    def _work(self) -> None:
        next_sequence = 1
        with self._client.stream(self._frames(), reopen=True, on_reopen=self._note_error) as stream:
            for result in stream:
                if isinstance(result, facewire.TrackEvent):
                    continue
                if isinstance(result, facewire.FramesSkipped):
                    first, last = result.first_sequence, result.last_sequence
                    if result.reason in _ENDINGS:
                        self.lost += result.frame_count
                else:
                    first = last = result.sequence
                    if result.status is facewire.FrameStatus.OK:
                        self._note_faces(result.faces)
                    else:
                        self.wrong[result.status.value] += 1
                if first != next_sequence:
                    self.wrong["out of order"] += 1
                next_sequence = last + 1

    def _frames(self) -> Iterator[bytes]:
        while not self._finished.wait(self._apart_s):
            yield self._picture


class Caller(Watched):
    """Recognizes one picture over and over, each time by a call of its own."""

    def _work(self) -> None:
        while not self._finished.wait(self._apart_s):
            try:
                self._note_faces(self._client.recognize(self._picture).faces)
            except facewire.FacewireError as error:
                if not error.retryable:
                    raise
                self._note_error(error)
