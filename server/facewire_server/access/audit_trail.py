"""Appends to the audit log from the event loop."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

from facewire_server.access.audit_lines import Link
from facewire_server.access.caller import caller_name

__all__ = ["AuditTrail", "NoTrail", "Trail", "to_the_end"]

T = TypeVar("T")


class Trail(Protocol):
    """Where it is kept who did what."""

    async def keep(self, fields: Mapping[str, Any]) -> None:
        """Keeps a line with the present caller's name and these fields.

        Raises:
            OSError, AuditLineError: it cannot be kept.
        """
        ...


class NoTrail(Trail):
    """Keeps nothing: in measurements and tests of something else."""

    async def keep(self, fields: Mapping[str, Any]) -> None:
        """Does nothing."""


class AuditTrail(Trail):
    """Keeps the lines of one process in the log."""

    def __init__(self, append: Callable[[Mapping[str, Any]], Link], threads: Executor) -> None:
        """Takes what appends a line (`AuditLog.append`), and threads for it; one is enough."""
        self._append = append
        self._threads = threads

    async def keep(self, fields: Mapping[str, Any]) -> None:
        """See the protocol."""
        work = self._threads.submit(self._append, {"who": caller_name(), **fields})
        await asyncio.wrap_future(work)


async def to_the_end(keeping: Coroutine[Any, Any, T]) -> T:
    """Runs what keeps a line, also if the caller is cancelled meanwhile: what the line is about was done, or is done with it.

    Raises:
        asyncio.CancelledError: the caller was cancelled.
    """
    task = asyncio.create_task(keeping)
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:  # a time limit and a client may both cancel
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError
    return task.result()
