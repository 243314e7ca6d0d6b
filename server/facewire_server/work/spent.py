"""Adds up the seconds of work on one picture, wherever it is done: in threads, in an engine, at a model server."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Spent", "spend", "spending", "spent_now"]


class Spent:
    """The work on one picture. Threads may add to it at the same time."""

    def __init__(self) -> None:
        self._parts_s: list[float] = []  # `append` is atomic, `+=` is not

    def add(self, seconds: float) -> None:
        """Counts a part of the work."""
        self._parts_s.append(seconds)

    @property
    def total_s(self) -> float:
        """Seconds so far."""
        return sum(self._parts_s)


_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def spending() -> Iterator[Spent]:
    """Counts what this task, and the tasks that it starts in the block, spend."""
    spent = Spent()
    token = _spent.set(spent)
    try:
        yield spent
    finally:
        _spent.reset(token)


def spent_now() -> Spent:
    """Returns where this task's work is counted; without a picture, a place that is not looked at."""
    return _spent.get() or Spent()


def spend(seconds: float) -> None:
    """Counts a part of the work on this task's picture."""
    spent_now().add(seconds)
