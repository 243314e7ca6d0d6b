"""Work that blocks, off the event loop: files, and the probe of a connection."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from typing import TypeVar

from facewire._probing.explained import explained as explained_by_probe
from facewire._values.errors import FacewireError
from facewire._values.pictures import Frame, Image, Picture
from facewire._wire.address import Address
from facewire._wire.unreachable import is_unclear

__all__ = ["explained", "in_thread", "metadata_of", "read_frame", "read_if_path"]

T = TypeVar("T")


async def in_thread(work: Callable[[], T], *, leave_off: Callable[[], None] | None = None) -> T:
    """Runs work in a thread. A cancelled caller still waits for its end.

    A thread cannot be stopped, and what cleans up after a cancellation must not meet it at work. Long work takes a
    `leave_off`, which is called then.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        if leave_off is not None:
            leave_off()
        while not working.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([working])
        if not working.cancelled():
            working.exception()  # is seen, so that asyncio does not log it: the caller has gone
        raise


async def explained(problem: FacewireError, address: Address) -> FacewireError:
    """Returns the error with the fault that a probe finds, which runs in a thread, if it is unclear."""
    if not is_unclear(problem, address):
        return problem
    closed = threading.Event()
    try:
        return await asyncio.to_thread(explained_by_probe, problem, address, closed=closed)
    finally:
        closed.set()  # also for a caller that was cancelled


async def metadata_of(address: Address) -> tuple[tuple[str, str], ...]:
    """Returns the metadata of every call; reads the token if it is not kept, or awaits it.

    Raises:
        OSError, ValueError: the token cannot be read, or be sent.
    """
    sent = address.token
    if sent is not None and sent.kept is None:
        token = sent.read() if sent.is_awaited else await in_thread(sent.read)
        sent.keep(token if isinstance(token, str) else await token)
    return address.metadata


async def read_if_path(picture: Picture) -> Picture:
    """Returns the picture; a path is read in a thread.

    Raises:
        OSError, ValueError: the path cannot be read (`Image.from_file`).
    """
    if isinstance(picture, str | os.PathLike):
        return await asyncio.to_thread(Image.from_file, picture)
    return picture


async def read_frame(frame: Picture | Frame) -> Frame:
    """Returns the frame of a stream; a path is read in a thread. Raises as `read_if_path` does."""
    if not isinstance(frame, Frame):
        return Frame(await read_if_path(frame))
    picture = await read_if_path(frame.picture)
    return frame if picture is frame.picture else Frame(picture, frame.captured_at_us)
