"""How many pixels may be in memory at once, over all pictures in work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["PixelBudget"]


class PixelBudget:
    """Lets pictures in while their pixels fit; first come, first served, also for a large one."""

    def __init__(self, pixels: int) -> None:
        """Starts with so many free; a picture of more is let in alone."""
        self._pixels = pixels
        self._left = pixels
        self._next = asyncio.Lock()  # wakes in order: who waits for much is not overtaken
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def taken(self, pixels: int) -> AsyncIterator[None]:
        """Waits until so many are free, and keeps them for the block."""
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
