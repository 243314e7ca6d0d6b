"""Work with files, off the event loop."""

import asyncio
import os

from facewire._values.pictures import Image, Picture

__all__ = ["read_if_path"]


async def read_if_path(picture: Picture) -> Picture:
    """Returns the picture; a path is read in a thread.

    Raises:
        OSError: the path cannot be read.
    """
    if isinstance(picture, str | os.PathLike):
        return await asyncio.to_thread(Image.from_file, picture)
    return picture
