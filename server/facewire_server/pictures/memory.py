"""Names a lack of memory as such: libraries say so in two ways, wherever they allocate."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from facewire_server.errors import OutOfMemory

__all__ = ["lack_of_memory_named"]


@contextmanager
def lack_of_memory_named(purpose: str) -> Iterator[None]:
    """Raises `OutOfMemory` if the block fails for want of memory; any other error passes.

    Args:
        purpose: what the memory was for, as it follows "there was no memory".
    """
    try:
        yield
    except MemoryError:
        raise _error(purpose) from None
    except cv2.error as error:
        if error.code != cv2.Error.STS_NO_MEM:
            raise
        raise _error(purpose) from None


def _error(purpose: str) -> OutOfMemory:
    return OutOfMemory(f"there was no memory {purpose}; retry later")
