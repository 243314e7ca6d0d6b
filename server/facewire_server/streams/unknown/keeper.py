"""Groups unknown visits as they come, and erases people once they are enrolled, or kept for long enough."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, NoReturn, Protocol, TypeVar

import numpy as np

from facewire_server.errors import (
    GalleryNotFound,
    StorageBusy,
    UnknownPersonNotFound,
)
from facewire_server.events import Emit, UnknownFailed
from facewire_server.galleries.ports import Changing, Search
from facewire_server.pipeline.match import candidates_needed, decisions
from facewire_server.streams.unknown.grouping import person_of
from facewire_server.streams.unknown.ports import UnknownStore
from facewire_server.streams.unknown.values import UnknownPerson, UnknownVisit
from facewire_server.types import DecisionPolicy

__all__ = ["SearchedGallery", "UnknownKeeper"]

T = TypeVar("T")

_MOST_WAITING: Final = 1000
"""Visits that wait to be grouped; a further one is lost. Chosen, not measured: grouping one takes some milliseconds."""

_ROUND_S: Final = 5.0
"""Seconds between two looks at what is to be erased. Chosen, not measured; a look at 1,000 people takes 15 ms of processor."""

_SWEEP_PAUSE_S: Final = 10.0
"""Least seconds between two searches for all unknown people, since an import changes a gallery many times a second. Chosen, not
measured."""

_MOST_PROBES: Final = 64
"""People who are searched for together, so that streams need not wait for all of them. Chosen, not measured."""


class SearchedGallery(Search, Changing, Protocol):
    """The gallery that may know the people by now."""


class UnknownKeeper:
    """The unknown people of a server; see the ports `UnknownVisits` and `UnknownPeople`.

    `run` groups the visits in the order of `saw`; calls of requests see those that this process saw before.
    """

    are_kept = True

    def __init__(
        self, store: UnknownStore, gallery: SearchedGallery, policy: DecisionPolicy, emit: Emit
    ) -> None:
        """Starts.

        Args:
            store: keeps the people.
            gallery: erased from the store is whom it knows.
            policy: of a request that sets none: when two visits show one person, and when the gallery knows them.
            emit: takes an `UnknownFailed` for what could not be kept or erased.
        """
        self._store = store
        self._gallery = gallery
        self._policy = policy
        self._emit = emit
        self._waiting: asyncio.Queue[UnknownVisit] = asyncio.Queue(_MOST_WAITING)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unknown")
        self._swept: int | None = None  # the gallery's count of changes at the last whole sweep
        self._sweep_at_s = float("-inf")

    def close(self) -> None:
        """Waits for the call in the store; blocks. No call may follow."""
        self._thread.shutdown()

    def saw(self, visit: UnknownVisit) -> None:
        """See the port."""
        try:
            self._waiting.put_nowait(visit)
        except asyncio.QueueFull as error:
            self._failed(error, "too many visits at once: one was not kept")

    async def run(self) -> NoReturn:
        """Groups visits, and erases what is due, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._group_all())
            tasks.create_task(self._maintain())
        raise AssertionError("neither task ends")

    async def settled(self) -> None:
        """Returns when all visits so far are grouped."""
        await self._waiting.join()

    async def of_gallery(self, gallery_id: str) -> Sequence[UnknownPerson]:
        """See the port."""
        await self.settled()
        people = await self._asked(self._store.people)
        return [person for person in people if person.gallery_id == gallery_id]

    async def person(self, gallery_id: str, unknown_id: int) -> UnknownPerson:
        """See the port."""
        await self.settled()
        person = await self._asked(partial(self._store.person, unknown_id))
        if person is None or person.gallery_id != gallery_id:
            raise UnknownPersonNotFound("no such unknown person, or they are no longer kept")
        return person

    async def forget(self, gallery_id: str, unknown_id: int) -> None:
        """See the port."""
        await self.person(gallery_id, unknown_id)
        await self._asked(partial(self._store.erase, [unknown_id]))

    async def forget_all(self, gallery_id: str) -> int:
        """See the port."""
        people = await self.of_gallery(gallery_id)
        ids = [person.unknown_id for person in people]
        return await self._asked(partial(self._store.erase, ids))

    async def forget_gallery(self, gallery_id: str) -> None:
        """See the port."""
        try:
            await self.forget_all(gallery_id)
        except StorageBusy as error:
            self._failed(error, str(error))

    async def forget_enrolled(self) -> None:
        """See the port."""
        await self.settled()
        await self._surviving(self._sweep())

    async def _group_all(self) -> NoReturn:
        while True:
            visit = await self._waiting.get()
            await self._surviving(self._group(visit))
            self._waiting.task_done()

    async def _group(self, visit: UnknownVisit) -> None:
        group = partial(person_of, policy=self._policy)
        person = await self._call(partial(self._store.add, visit, group))
        # A person's mean may resemble someone more than each visit did. Then it is no unknown one.
        await self._erase_known([person])

    async def _maintain(self) -> NoReturn:
        while True:
            await asyncio.sleep(_ROUND_S)
            await self._surviving(self._call(self._store.erase_old))
            if time.monotonic() >= self._sweep_at_s:
                await self._surviving(self._sweep())
                self._sweep_at_s = time.monotonic() + _SWEEP_PAUSE_S

    async def _sweep(self) -> None:
        """Erases whom the galleries know, if they changed since the last time."""
        changes = self._gallery.change_count()
        if changes == self._swept:
            return
        people = await self._call(self._store.people)
        for gallery_id in {person.gallery_id for person in people}:
            of_gallery = [one for one in people if one.gallery_id == gallery_id]
            for start in range(0, len(of_gallery), _MOST_PROBES):
                await self._erase_known(of_gallery[start : start + _MOST_PROBES])
        self._swept = changes

    async def _erase_known(self, people: Sequence[UnknownPerson]) -> None:
        """Erases those of one gallery's people whom the gallery knows; all of them if it was deleted."""
        gallery_id = people[0].gallery_id
        lengths = [float(np.linalg.norm(person.looks_mean)) for person in people]
        probes = np.stack([person.looks_mean for person in people]) / np.array(lengths)[:, None]
        try:
            found = await self._gallery.search(
                gallery_id, probes.astype(np.float32), candidates_needed(self._policy)
            )
        except GalleryNotFound:
            known = [person.unknown_id for person in people]
        else:
            decided = decisions(found, np.ones(len(people), np.bool_), self._policy)
            known = [
                person.unknown_id
                for person, length, decision in zip(people, lengths, decided, strict=True)
                # The mean similarity of the looks, as a verdict's.
                if decision.best and decision.best.scaled(length).lead(decision.threshold) >= 0
            ]
        if known:
            await self._call(partial(self._store.erase, known))

    async def _call(self, step: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)

    async def _asked(self, step: Callable[[], T]) -> T:
        """Calls the store for a request."""
        try:
            return await self._call(step)
        except OSError as error:
            self._failed(error, str(error))  # its text is not for clients: it names files
            raise StorageBusy(
                "the files of unknown people cannot be used now: the server's log says why (unknown_failed)"
            ) from error

    async def _surviving(self, step: Awaitable[None]) -> None:
        """Awaits a step whose failure is emitted, and ends nothing: who deletes a person waits for the visits before."""
        try:
            await step
        except Exception as error:  # noqa: BLE001  # of whatever kind
            self._failed(error, str(error))

    def _failed(self, error: Exception, detail: str) -> None:
        self._emit(UnknownFailed(type(error), detail))
