"""Has it kept that an erasure began, and what it did: by the thread that erases, whatever becomes of who asked for it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

__all__ = ["Keep", "Noted", "keep_nothing", "noted"]

Keep: TypeAlias = Callable[[bool, Mapping[str, Any]], None]
"""Keeps that an erasure begins (True), and later its end (False) with "deletions" and "complete". It raises nothing."""


def keep_nothing(begins: bool, fields: Mapping[str, Any]) -> None:
    """Keeps nothing: whoever erases keeps it otherwise."""


class Noted:
    """An erasure so far.

    Attributes:
        deletion_count: deletions that it erases.
    """

    def __init__(self, keep: Keep) -> None:
        self.deletion_count = 0
        self.has_begun = False
        self._keep = keep

    def at_step(self, step: str) -> None:
        """Takes the steps of `Environment.switch`, of which the first changes the file."""
        if step == "noting":
            self.has_begun = True
            self._keep(True, {})


@contextmanager
def noted(keep: Keep) -> Iterator[Noted]:
    """Has the end of the block kept if it began to erase, or erased something, however it ends."""
    so_far = Noted(keep)
    is_complete = False
    try:
        yield so_far
        is_complete = True
    finally:
        if so_far.has_begun or (is_complete and so_far.deletion_count):
            keep(False, {"deletions": so_far.deletion_count, "complete": is_complete})
