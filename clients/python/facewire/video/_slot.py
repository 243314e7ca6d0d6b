"""Hands pictures from the thread that reads a source to the one that pulls them."""

import threading
import time

from facewire.video._source import Shot

__all__ = ["Slot"]


class Slot:
    """Holds one picture between two threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._ready_s = 0.0
        self._ended = False
        self._closed = False
        self._error: BaseException | None = None

    def put(self, shot: Shot, *, ready_s: float = 0.0) -> None:
        """Replaces the picture.

        Args:
            shot: the newest picture.
            ready_s: not taken before, by `time.monotonic`: another one may replace it until then.
        """
        with self._changed:
            self._shot, self._ready_s = shot, ready_s
            self._changed.notify_all()

    def put_after_last(self, shot: Shot) -> None:
        """Waits until the picture before is taken, and puts the next one there."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._shot is None)
            self.put(shot)

    def end(self, error: BaseException | None = None) -> None:
        """Ends the pictures after the one that is there; `error` is raised then to the thread that pulls."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Ends the pictures at once, for both threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self) -> Shot | None:
        """Waits for a picture, and returns it; None after the last, and once it is closed.

        Raises:
            BaseException: what ended the reading, once.
        """
        with self._changed:
            while not self._closed:
                if self._shot is not None:
                    wait_s = 0.0 if self._ended else self._ready_s - time.monotonic()
                    if wait_s <= 0:
                        shot, self._shot = self._shot, None
                        self._changed.notify_all()
                        return shot
                    self._changed.wait(wait_s)
                elif self._ended:
                    error, self._error = self._error, None
                    if error is not None:
                        raise error
                    return None
                else:
                    self._changed.wait()
            return None
