"""Cameras of the SDK, each in a thread, which stay open over a lost worker and keep what they received."""

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

import facewire

__all__ = ["SdkCamera"]

_PATIENCE_S: Final = 100.0
"""Seconds to wait for what a busy machine does in seconds."""

_APART_US: Final = 200_000
"""Microseconds between two frames by the camera's clock: five a second."""


class SdkCamera(threading.Thread):
    """Shows one picture again and again, the next one when the last was accounted for; runs in a `with` block.

    Attributes:
        camera: its name.
        answered: sequences of the frames with a result, in order of their coming.
        skipped: sequences of the others.
        names: of all faces.
        events: of its tracks.
        reopened: the reasons for which its stream was opened again.
        longest_gap_s: longest time between two results.
        failure: the error that ended it, or None.
    """

    def __init__(
        self, client: facewire.Client, camera: str, gallery: str, picture: facewire.Picture
    ) -> None:
        """Takes what it is to show."""
        super().__init__(daemon=True)
        self.camera = camera
        self.answered: list[int] = []
        self.skipped: list[int] = []
        self.names: set[str | None] = set()
        self.events: list[facewire.TrackEvent] = []
        self.reopened: list[facewire.ErrorReason] = []
        self.longest_gap_s = 0.0
        self.failure: BaseException | None = None
        self._picture = picture
        self._finished = threading.Event()
        self._due = threading.Semaphore(1)
        self._news = threading.Condition()
        self._stream = client.stream(
            self._frames(),
            camera=camera,
            gallery=gallery,
            policy=facewire.FramePolicy.EVERY_FRAME,
            reopen=True,
            on_reopen=lambda error, pause_s: self.reopened.append(error.reason),
        )

    def run(self) -> None:
        """Streams until the block ends."""
        try:
            last_s = time.monotonic()
            for result in self._stream:
                if isinstance(result, facewire.TrackEvent):
                    self.events.append(result)
                    continue
                now_s = time.monotonic()
                self.longest_gap_s = max(self.longest_gap_s, now_s - last_s)
                last_s = now_s
                if isinstance(result, facewire.FrameResult):
                    self.answered.append(result.sequence)
                    self.names |= {face.name for face in result.faces}
                else:
                    self.skipped += range(result.first_sequence, result.last_sequence + 1)
                self._due.release(result.frame_count)
                self._notify()
        except Exception as error:  # noqa: BLE001 - raised by `until`, in the caller's thread
            self.failure = error
        self._notify()

    def until(self, holds: Callable[[], object]) -> None:
        """Waits until something holds, asking after each result.

        Raises:
            TimeoutError: it did not.
        """
        with self._news:
            if not self._news.wait_for(lambda: self.failure or holds(), _PATIENCE_S):
                raise TimeoutError(f"{self.camera}: {len(self.answered)} results, {self.reopened}")
        if self.failure:
            raise self.failure

    def until_more(self, count: int) -> None:
        """Waits for this many further results."""
        wanted = len(self.answered) + count
        self.until(lambda: len(self.answered) >= wanted)

    def finish(self) -> None:
        """Shows no further frame."""
        self._finished.set()
        self._due.release()

    @property
    def answered_twice(self) -> int:
        """Frames that were accounted for more than once."""
        every = [*self.answered, *self.skipped]
        return len(every) - len(set(every))

    @property
    def visits(self) -> set[int]:
        """The visits of its tracks."""
        return {event.visit_id for event in self.events}

    def _frames(self) -> Iterator[facewire.Frame]:
        number = 0
        while True:
            self._due.acquire()
            if self._finished.is_set():
                return
            number += 1
            yield facewire.Frame(self._picture, captured_at_us=number * _APART_US)

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
        trace: TracebackType | None,
    ) -> None:
        self.finish()
        if error is not None:
            self._stream.close()
        self.join(_PATIENCE_S)
