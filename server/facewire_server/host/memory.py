"""Returns freed memory to the operating system.

glibc's allocator keeps what was freed below a block that is still in use, and after the frames of eight cameras that is
most of what they took. Its settings do not help: with a lower MALLOC_MMAP_THRESHOLD_ every large
buffer costs page faults, and a third of the frames got through; MALLOC_ARENA_MAX alone returns nothing. malloc_trim(3) releases
whole free pages of all arenas (since glibc 2.8), at 3 to 9 ms of a processor under load and 1 ms at rest.
"""

import asyncio
import ctypes
from typing import Final

__all__ = ["return_freed_memory", "trim"]

_PERIOD_S: Final = 10.0
"""Seconds between two trims: less than a thousandth of a processor."""


def trim() -> bool:
    """Returns free pages to the system; the result is False if the C library cannot (musl, macOS)."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is None:
        return False
    malloc_trim(0)
    return True


async def return_freed_memory() -> None:
    """Trims every 10 s in a thread until it is cancelled; ends at once where trimming does not exist."""
    while await asyncio.to_thread(trim):
        await asyncio.sleep(_PERIOD_S)
