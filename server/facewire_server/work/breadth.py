"""Whether a step may use all processors: only for a picture that is alone, and that no other one follows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_alone", "working"]

_asked: ContextVar[Callable[[], bool] | None] = ContextVar("asked", default=None)


@contextmanager
def working(is_alone_now: Callable[[], bool]) -> Iterator[None]:
    """Sets what `is_alone` returns in this task, and in the tasks that it starts in the block.

    Args:
        is_alone_now: called at each step, since other pictures come and go.
    """
    token = _asked.set(is_alone_now)
    try:
        yield
    finally:
        _asked.reset(token)


def is_alone() -> bool:
    """Returns whether the picture that this task works on may use all processors now; without a picture, True."""
    asked = _asked.get()
    return asked is None or asked()
