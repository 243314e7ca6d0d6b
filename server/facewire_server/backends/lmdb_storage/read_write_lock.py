"""A readers-writer lock for threads, which the standard library lacks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facewire_server.errors import StorageBusy

__all__ = ["ReadWriteLock"]


class ReadWriteLock:
    """A writer-preferring readers-writer lock. Not reentrant: a second `read` of a thread may deadlock."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._writer = False

    @property
    def writer_waiting(self) -> bool:
        """Whether a writer holds the lock or waits for it."""
        return self._writer

    def acquire_read(self) -> None:
        """Waits while a writer holds the lock or waits for it, then joins the readers."""
        with self._changed:
            while self._writer:
                self._changed.wait()
            self._readers += 1

    def try_acquire_read(self) -> bool:
        """Joins the readers, or returns False while a writer holds the lock or waits for it."""
        with self._changed:
            if self._writer:
                return False
            self._readers += 1
            return True

    def release_read(self) -> None:
        """Leaves the readers."""
        with self._changed:
            self._readers -= 1
            if not self._readers:
                self._changed.notify_all()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Holds the lock together with other readers."""
        self.acquire_read()
        try:
            yield
        finally:
            self.release_read()

    @contextmanager
    def write(self, timeout_s: float | None = None) -> Iterator[None]:
        """Holds the lock exclusively; new readers wait.

        Args:
            timeout_s: to wait for the lock; None = without a bound.

        Raises:
            StorageBusy: it was not free in time.
        """
        ends_at_s = None if timeout_s is None else time.monotonic() + timeout_s
        with self._changed:
            self._wait(lambda: not self._writer, ends_at_s)
            self._writer = True
            try:
                self._wait(lambda: not self._readers, ends_at_s)
            except StorageBusy:
                self._writer = False
                self._changed.notify_all()
                raise
        try:
            yield
        finally:
            with self._changed:
                self._writer = False
                self._changed.notify_all()

    def _wait(self, holds: Callable[[], bool], ends_at_s: float | None) -> None:
        left_s = None if ends_at_s is None else max(0.0, ends_at_s - time.monotonic())
        if not self._changed.wait_for(holds, left_s):
            raise StorageBusy("the storage is held by a write of another process")
