"""Bounds the pixels in memory over all pictures in work, so that small pictures never wait for large ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

__all__ = ["PixelBudget", "PixelBudgets"]

_USUAL_PIXELS: Final = 4 << 20
"""Most pixels of a picture of usual size: cameras of 4 megapixels have up to 2688 x 1520. Chosen, not measured."""


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
    """Three budgets of the same size: of usual pictures, of larger ones that a stream may send, too, and of the largest.

    Bounds the memory: all decoded pictures of usual size, of all cameras and calls, together have at most the pixels
    that a single picture may have, and so have larger ones, and the largest. Further ones wait, first in, first out.
    """

    def __init__(self, pixels: int, *, small_pixels: int) -> None:
        """Starts with `pixels` free in each; a picture of more than `small_pixels` is one of the largest."""
        self._classes = [
            (min(_USUAL_PIXELS, small_pixels), PixelBudget(pixels)),
            (small_pixels, PixelBudget(pixels)),
        ]
        self._largest = PixelBudget(pixels)

    def taken(self, pixels: int) -> AbstractAsyncContextManager[None]:
        """Waits until `pixels` are free in the picture's budget, and holds them for the block."""
        fitting = (budget for most, budget in self._classes if pixels <= most)
        return next(fitting, self._largest).taken(pixels)
