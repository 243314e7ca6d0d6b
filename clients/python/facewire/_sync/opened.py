"""An iterator that opens with its first use, or with a `with` block, which also closes it."""

from abc import ABC, abstractmethod
from typing import Self

__all__ = ["Opened"]


class Opened(ABC):
    """A stream, a feed or a follower: an iterator and a context manager."""

    @abstractmethod
    def open(self) -> Self:
        """Opens it, if it is not open."""

    @abstractmethod
    def close(self) -> None:
        """Ends it. May be called again, and from another thread."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self
