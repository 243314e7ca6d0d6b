"""An asynchronous iterator that opens with its first use, or with `async with`, which also closes it."""

from abc import ABC, abstractmethod
from typing import Self

__all__ = ["AsyncOpened"]


class AsyncOpened(ABC):
    """A stream, a feed or a follower: an asynchronous iterator and a context manager."""

    @abstractmethod
    async def open(self) -> Self:
        """Opens it, if it is not open."""

    @abstractmethod
    async def close(self) -> None:
        """Ends it. May be called again, and from another task."""

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self
