"""Takes the pictures of a reader in a thread, and keeps when each came and which time is drawn into it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire.video import Camera
from harness import drawn_clock

__all__ = ["ClockWatcher", "Seen", "pictures_of"]

PATIENCE_S: Final = 60.0
"""Longest wait, seconds. Chosen, not measured: longer than the limits of any reader."""

Timed = tuple[NDArray[np.uint8], int]
"""A picture, BGR, and its `captured_at_us`."""


class Seen(NamedTuple):
    """One picture.

    Attributes:
        at_s: when it came, by `time.monotonic`.
        drawn_s: the time drawn into it, by the same clock.
        size: its width and height.
        captured_at_us: as of the reader.
    """

    at_s: float
    drawn_s: float
    size: tuple[int, int]
    captured_at_us: int

    @property
    def age_s(self) -> float:
        """Seconds from drawing to coming."""
        return self.at_s - self.drawn_s


class ClockWatcher:
    """Takes pictures until they end.

    Attributes:
        seen: so far.
        unreadable_count: pictures without a clock.
        error: what the reader raised.
    """

    def __init__(self, pictures: Iterable[Timed]) -> None:
        self.seen: list[Seen] = []
        self.unreadable_count = 0
        self.error: BaseException | None = None
        self._pictures = pictures
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._take, daemon=True).start()

    def until(self, what: Callable[[list[Seen]], bool], since: int = 0) -> list[Seen]:
        """Waits until the pictures after the first `since` fulfill something, and returns them.

        Raises:
            TimeoutError: they do not; the reader's own error, if it ended with one.
        """
        with self._changed:
            done = self._changed.wait_for(
                lambda: what(self.seen[since:]) or self._ended, timeout=PATIENCE_S
            )
            if self.error is not None:
                raise self.error
            if not done or not what(self.seen[since:]):
                raise TimeoutError(f"not after {len(self.seen) - since} more pictures")
            return self.seen[since:]

    def until_newer_than(self, drawn_s: float, since: int = 0) -> list[Seen]:
        """Waits for a picture that was drawn after a time; returns all after the first `since`."""
        return self.until(lambda seen: bool(seen) and seen[-1].drawn_s > drawn_s, since)

    def during(self, seconds: float) -> list[Seen]:
        """Returns what comes in the next seconds."""
        since, end_s = len(self.seen), time.monotonic() + seconds
        with self._changed:
            while (left_s := end_s - time.monotonic()) > 0:
                self._changed.wait(left_s)
            return self.seen[since:]

    def ended(self) -> BaseException | None:
        """Waits until the pictures end, and returns the reader's error."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended, timeout=PATIENCE_S):
                raise TimeoutError("the pictures do not end")
            return self.error

    def _take(self) -> None:
        try:
            for picture, captured_at_us in self._pictures:
                now_s = time.monotonic()
                drawn_s = drawn_clock.read(picture)
                with self._changed:
                    if drawn_s is None:
                        self.unreadable_count += 1
                    else:
                        size = (picture.shape[1], picture.shape[0])
                        self.seen.append(Seen(now_s, drawn_s, size, captured_at_us))
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 raised to the thread that waits
            self.error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()


def pictures_of(camera: Camera) -> Iterator[Timed]:
    """Yields the frames of a camera, decoded."""
    for frame in camera:
        assert isinstance(frame.picture, bytes)
        picture = cv2.imdecode(np.frombuffer(frame.picture, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        yield np.asarray(picture, np.uint8), frame.captured_at_us
