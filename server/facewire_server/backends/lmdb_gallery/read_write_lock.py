"""A readers-writer lock for threads, which the standard library lacks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
    def write(self) -> Iterator[None]:
        """Holds the lock exclusively; new readers wait."""
        with self._changed:
            while self._writer:
                self._changed.wait()
            self._writer = True
            while self._readers:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._writer = False
                self._changed.notify_all()
