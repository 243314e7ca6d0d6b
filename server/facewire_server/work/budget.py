"""Bounds the pixels in memory over all pictures in work, so that small pictures never wait for large ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

__all__ = ["PixelBudget", "PixelBudgets"]


class PixelBudget:
    """A weighted semaphore, FIFO: a large picture is not overtaken by small ones."""

    def __init__(self, pixels: int) -> None:
        """Starts with `pixels` free. A picture larger than that runs alone."""
        self._pixels = pixels
        self._left = pixels
        self._next = asyncio.Lock()  # FIFO; its holder is the one that waits for pixels
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def taken(self, pixels: int) -> AsyncIterator[None]:
        """Waits until `pixels` are free, and holds them for the block."""
        pixels = min(pixels, self._pixels)
        async with self._next:
            while self._left < pixels:
                self._freed.clear()
                await self._freed.wait()
            self._left -= pixels
        try:
            yield
        finally:
            self._left += pixels
            self._freed.set()


class PixelBudgets:
    """Two budgets of the same size: one of pictures that a stream may send, too, and one of larger ones."""

    def __init__(self, pixels: int, *, small_pixels: int) -> None:
        """Starts with `pixels` free in each; a picture of at most `small_pixels` is a small one."""
        self._small_pixels = small_pixels
        self._small = PixelBudget(pixels)
        self._large = PixelBudget(pixels)

    def taken(self, pixels: int) -> AbstractAsyncContextManager[None]:
        """Waits until `pixels` are free in the picture's budget, and holds them for the block."""
        budget = self._small if pixels <= self._small_pixels else self._large
        return budget.taken(pixels)
