"""Callers that come while a gallery is searched are searched for together, and none waits for an idle gallery."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from facewire_server.errors import GalleryDamaged
from facewire_server.galleries import gathering
from facewire_server.galleries.gathering import GatheredSearches, Sought
from facewire_server.galleries.records import SearchResult


class Searched:
    """Searches that end when they are let go; the result of a caller has the caller's `k` as its revision."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[tuple[str, list[int]]] = asyncio.Queue()
        self.may_end: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def __call__(self, gallery_id: str, sought: Sequence[Sought]) -> list[SearchResult]:
        await self.begun.put((gallery_id, [one.k for one in sought]))
        error = await self.may_end.get()
        if error is not None:
            raise error
        return [SearchResult(one.k, (), 0) for one in sought]


def sought(k: int, probes: int = 1) -> Sought:
    return Sought(np.zeros((probes, 4), np.float32), k)


async def asked(searches: GatheredSearches, *numbers: int) -> list["asyncio.Task[SearchResult]"]:
    """Starts a caller for each number, and returns when all of them are waiting."""
    tasks = [asyncio.create_task(searches.search("a", sought(number))) for number in numbers]
    await asyncio.sleep(0)
    return tasks


@pytest.mark.timeout(20)
async def test_callers_that_come_during_a_search_are_one_search_and_each_gets_its_own() -> None:
    searched = Searched()
    searches = GatheredSearches(searched)
    tasks = await asked(searches, 1, 2, 3)
    assert await searched.begun.get() == ("a", [1])
    searched.may_end.put_nowait(None)
    assert await searched.begun.get() == ("a", [2, 3])
    tasks += await asked(searches, 4)
    searched.may_end.put_nowait(None)
    assert await searched.begun.get() == ("a", [4])
    searched.may_end.put_nowait(None)
    assert [(await task).revision for task in tasks] == [1, 2, 3, 4]
    (last,) = await asked(searches, 5)  # the gallery is idle again
    assert await searched.begun.get() == ("a", [5])
    searched.may_end.put_nowait(None)
    await last


@pytest.mark.timeout(20)
async def test_a_search_of_another_gallery_does_not_wait() -> None:
    searched = Searched()
    searches = GatheredSearches(searched)
    tasks = [asyncio.create_task(searches.search(one, sought(1))) for one in ("a", "b")]
    assert {(await searched.begun.get())[0] for _ in tasks} == {"a", "b"}
    for _ in tasks:
        searched.may_end.put_nowait(None)
    await asyncio.gather(*tasks)


@pytest.mark.timeout(20)
async def test_an_error_is_raised_by_those_who_were_searched_for_and_by_no_other() -> None:
    searched = Searched()
    tasks = await asked(GatheredSearches(searched), 1, 2, 3)
    for error in (None, GalleryDamaged("damaged")):
        searched.may_end.put_nowait(error)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in results] == [SearchResult, GalleryDamaged, GalleryDamaged]


@pytest.mark.timeout(20)
async def test_who_is_searched_alone_and_fails_leaves_those_who_wait_their_search() -> None:
    searched = Searched()
    tasks = await asked(GatheredSearches(searched), 1, 2)
    searched.may_end.put_nowait(GalleryDamaged("damaged"))
    searched.may_end.put_nowait(None)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in results] == [GalleryDamaged, SearchResult]


@pytest.mark.timeout(20)
async def test_cancelled_callers_are_not_searched_for_and_cost_the_others_nothing() -> None:
    searched = Searched()
    first, second, third = await asked(GatheredSearches(searched), 1, 2, 3)
    await searched.begun.get()
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert await searched.begun.get() == ("a", [3])
    searched.may_end.put_nowait(None)
    assert (await third).revision == 3


@pytest.mark.timeout(20)
async def test_a_caller_cancelled_during_a_search_together_costs_the_others_nothing() -> None:
    searched = Searched()
    tasks = await asked(GatheredSearches(searched), 1, 2, 3)
    searched.may_end.put_nowait(None)
    await searched.begun.get()
    await searched.begun.get()
    tasks[1].cancel()
    searched.may_end.put_nowait(None)
    assert (await tasks[2]).revision == 3


@pytest.mark.timeout(20)
async def test_a_search_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_MOST_PROBES", 5)
    searched = Searched()
    searches = GatheredSearches(searched)
    callers = ((1, 1), (2, 3), (3, 2), (4, 1), (5, 9), (6, 1))
    tasks = [asyncio.create_task(searches.search("a", sought(*one))) for one in callers]
    groups = []
    for _ in range(5):
        groups.append((await searched.begun.get())[1])
        searched.may_end.put_nowait(None)
        if sum(map(len, groups)) == len(callers):
            break
    assert groups == [[1], [2, 3], [4], [5], [6]]
    await asyncio.gather(*tasks)
