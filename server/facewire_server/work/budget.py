"""Bounds the pixels in memory over all pictures in work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["PixelBudget"]


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
