"""An iterator that remembers what was taken of it."""

from collections.abc import Iterator
from typing import TypeVar

__all__ = ["copies"]

Item = TypeVar("Item")


def copies(item: Item, count: int, pulled: list[int]) -> Iterator[Item]:
    """Yields the item `count` times, and appends the number of each that is asked for to `pulled`."""
    for number in range(count):
        pulled.append(number)
        yield item
