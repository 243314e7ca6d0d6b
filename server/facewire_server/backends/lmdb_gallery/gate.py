"""A gate: many threads may be inside at once, or one alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Gate"]


class Gate:
    """Lets threads share what one of them must sometimes have for itself.

    Who waits to be alone keeps newcomers out. A thread that is inside must not enter again:
    it could wait for one that waits for it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._wanted_alone = False

    def enter(self) -> None:
        """Goes in beside others."""
        with self._changed:
            while self._wanted_alone:
                self._changed.wait()
            self._inside += 1

    def leave(self) -> None:
        """Goes out again."""
        with self._changed:
            self._inside -= 1
            if not self._inside:
                self._changed.notify_all()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Inside, beside others."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, when all others have left."""
        with self._changed:
            while self._wanted_alone:
                self._changed.wait()
            self._wanted_alone = True
            while self._inside:
                self._changed.wait()
        try:
            yield
        finally:
            with self._changed:
                self._wanted_alone = False
                self._changed.notify_all()
