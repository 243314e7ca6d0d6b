"""Searches of one gallery that wait for each other are one search: eight probes in one matrix product cost as much as two or three alone."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult

__all__ = ["GatheredSearches", "Sought"]

_MOST_PROBES: Final = 64
"""Probes of several callers that are searched together: 16 MiB of scores at once. Chosen, not measured."""


class Sought(NamedTuple):
    """What one caller searches for.

    Attributes:
        probes: (n, d) float32 unit rows.
        k: identities wanted for each.
    """

    probes: NDArray[np.float32]
    k: int


class _Waiting(NamedTuple):
    """A caller that waits for its turn, and what it will receive."""

    sought: Sought
    result: "asyncio.Future[SearchResult]"


class GatheredSearches:
    """Runs one search of a gallery at a time; callers that come meanwhile are searched for together in the next one.

    A caller that comes while no search of its gallery runs does not wait. Used in one event loop.
    """

    def __init__(
        self, search: Callable[[str, Sequence[Sought]], Awaitable[Sequence[SearchResult]]]
    ) -> None:
        """Takes the function that searches a gallery for several callers at one revision, and returns the result of each."""
        self._search = search
        # The callers that wait, by gallery; a gallery without an entry is not being searched.
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._next: set[asyncio.Task[None]] = set()

    async def search(self, gallery_id: str, sought: Sought) -> SearchResult:
        """Returns the result of one caller, from a revision that is not older than the call.

        Raises:
            Exception: what the search raised, for all who were searched for together.
        """
        waiting = self._waiting.get(gallery_id)
        if waiting is not None:
            result: asyncio.Future[SearchResult] = asyncio.get_running_loop().create_future()
            waiting.append(_Waiting(sought, result))
            return await result
        self._waiting[gallery_id] = deque()
        try:
            (found,) = await self._search(gallery_id, [sought])
            return found
        finally:
            if self._waiting[gallery_id]:
                task = asyncio.create_task(self._search_for_waiting(gallery_id))
                self._next.add(task)
                task.add_done_callback(self._next.discard)
            else:
                del self._waiting[gallery_id]

    async def _search_for_waiting(self, gallery_id: str) -> None:
        waiting = self._waiting[gallery_id]
        try:
            while group := _taken(waiting):
                try:
                    found = await self._search(gallery_id, [one.sought for one in group])
                except Exception as error:  # noqa: BLE001  # each caller raises it
                    for one in group:
                        if not one.result.done():
                            one.result.set_exception(error)
                else:
                    for one, result in zip(group, found, strict=True):
                        if not one.result.done():  # the caller was cancelled
                            one.result.set_result(result)
        finally:
            del self._waiting[gallery_id]


def _taken(waiting: deque[_Waiting]) -> list[_Waiting]:
    """Takes those who come first, as many as are searched for together; drops those who were cancelled."""
    group: list[_Waiting] = []
    probes = 0
    while waiting:
        one = waiting[0]
        if not one.result.done():
            probes += len(one.sought.probes)
            if group and probes > _MOST_PROBES:
                break
            group.append(one)
        waiting.popleft()
    return group
