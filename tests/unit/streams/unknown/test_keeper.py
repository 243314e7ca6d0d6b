"""Visits are grouped as they come, and no one is kept whom the gallery knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.backends.unknown_files import UnknownFiles
from facewire_server.errors import StorageBusy, UnknownPeopleNotKept, UnknownPersonNotFound
from facewire_server.events import Event, UnknownFailed
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.streams.unknown import NotKeptUnknown, UnknownKeeper, keeper
from facewire_server.types import DecisionPolicy, Quality
from fakes.gallery import MemoryGallery
from fakes.unknown_people import DIMENSION, axis, turned, visit


@pytest.fixture
def gallery() -> MemoryGallery:
    return MemoryGallery(model_contract_id="c" * 64, dimension=DIMENSION)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def store(tmp_path: Path) -> UnknownFiles:
    return UnknownFiles(
        tmp_path / "unknown", keep_s=3e9, keys=None, model_contract_id="c" * 64
    )  # fmt: skip


@asynccontextmanager
async def running(opened: UnknownKeeper) -> AsyncIterator[UnknownKeeper]:
    task = asyncio.create_task(opened.run())
    try:
        yield opened
    finally:
        task.cancel()
        await asyncio.wait([task])
        opened.close()


@pytest.fixture
async def kept(
    store: UnknownFiles, gallery: MemoryGallery, events: list[Event]
) -> AsyncIterator[UnknownKeeper]:
    opened = UnknownKeeper(store, gallery, DecisionPolicy(0.5, 0.03, 0.0), events.append)
    async with running(opened):
        yield opened


async def enroll(gallery: MemoryGallery, name: str, face: NDArray[np.float32]) -> None:
    result = EnrollmentResult(f"{abs(hash(name)):032x}"[-32:], quality=Quality(40.0, 9.0, 99.0))
    await gallery.enroll("default", NewIdentity(name, create=True), [result], face[None])


async def test_visits_are_grouped_in_order_and_listed_at_once(kept: UnknownKeeper) -> None:
    first = visit(axis(0), camera_id="door")
    for one in (first, visit(axis(1)), visit(turned(0, 9, 0.8), camera_id="yard")):
        kept.saw(one)
    people = await kept.of_gallery("default")
    assert [len(person.visits) for person in people] == [2, 1]
    assert people[0].unknown_id == first.track_id
    assert people[0].camera_ids == ("door", "yard")
    assert await kept.of_gallery("cellar") == []


async def test_people_are_read_and_forgotten_of_their_own_gallery_only(kept: UnknownKeeper) -> None:
    kept.saw(visit(axis(0), track_id=5, jpeg=b"picture"))
    kept.saw(visit(axis(1), track_id=6))
    assert (await kept.person("default", 5)).pictures[0].picture.jpeg == b"picture"  # type: ignore[union-attr]
    calls: list[Callable[[str, int], object]] = [kept.person, kept.forget]
    for call in calls:
        for gallery_id, unknown_id in (("cellar", 5), ("default", 7)):
            with pytest.raises(UnknownPersonNotFound):
                await call(gallery_id, unknown_id)  # type: ignore[misc]
    await kept.forget("default", 5)
    assert [one.unknown_id for one in await kept.of_gallery("default")] == [6]
    assert await kept.forget_all("default") == 1
    assert await kept.forget_all("default") == 0


async def test_who_is_enrolled_is_erased_and_others_stay(
    kept: UnknownKeeper, gallery: MemoryGallery
) -> None:
    for face in range(3):
        kept.saw(visit(axis(face), track_id=face + 1))
    await kept.settled()
    await enroll(gallery, "ada", turned(1, 9, 0.7))
    await enroll(gallery, "eve", turned(2, 8, 0.4))
    await kept.forget_enrolled()
    assert [one.unknown_id for one in await kept.of_gallery("default")] == [1, 3]


async def test_the_gallery_is_searched_in_turns_while_it_changes(
    kept: UnknownKeeper, gallery: MemoryGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for face in range(100):
        kept.saw(visit(axis(face)))
    await kept.settled()
    searched: list[int] = []
    search = gallery.search

    async def noted(gallery_id: str, probes: NDArray[np.float32], k: int) -> object:
        searched.append(len(probes))
        return await search(gallery_id, probes, k)

    monkeypatch.setattr(gallery, "search", noted)
    await enroll(gallery, "ada", axis(99))
    await kept.forget_enrolled()
    await kept.forget_enrolled()  # nothing has changed
    assert searched == [64, 36]
    assert len(await kept.of_gallery("default")) == 99


async def test_it_looks_by_itself(
    store: UnknownFiles, gallery: MemoryGallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_ROUND_S", 0.01)
    monkeypatch.setattr(keeper, "_SWEEP_PAUSE_S", 0.01)
    opened = UnknownKeeper(store, gallery, DecisionPolicy(0.5, 0.03, 0.0), lambda event: None)
    async with running(opened), asyncio.timeout(30):
        opened.saw(visit(axis(0)))
        await opened.settled()
        await enroll(gallery, "ada", axis(0))
        while await opened.of_gallery("default"):
            await asyncio.sleep(0.01)


async def test_a_person_whose_mean_the_gallery_knows_is_not_kept(
    kept: UnknownKeeper, gallery: MemoryGallery
) -> None:
    await enroll(gallery, "ada", axis(0))
    kept.saw(visit(turned(0, 1, 0.6)))
    kept.saw(visit(turned(0, 2, 0.4), track_id=7))
    assert [one.unknown_id for one in await kept.of_gallery("default")] == [7]


async def test_the_length_of_the_mean_counts_as_in_a_verdict(
    kept: UnknownKeeper, gallery: MemoryGallery
) -> None:
    await enroll(gallery, "ada", axis(0))
    kept.saw(visit(np.asarray(0.8 * turned(0, 1, 0.6), np.float32)))  # its looks' similarities: .48
    assert len(await kept.of_gallery("default")) == 1


async def test_with_a_gallery_its_unknown_people_go(
    kept: UnknownKeeper, gallery: MemoryGallery
) -> None:
    await gallery.create_gallery("cellar", "")
    kept.saw(visit(axis(0), gallery_id="cellar"))
    kept.saw(visit(axis(0)))
    await kept.settled()
    await gallery.delete_gallery("cellar")
    await kept.forget_enrolled()
    assert await kept.of_gallery("cellar") == []
    assert len(await kept.of_gallery("default")) == 1
    await kept.forget_gallery("default")
    assert await kept.of_gallery("default") == []


async def test_a_disk_that_fails_loses_the_visit_and_nothing_else(
    kept: UnknownKeeper,
    store: UnknownFiles,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "/secret/place")

    with monkeypatch.context() as patched:
        for name in ("add", "people", "person", "erase"):
            patched.setattr(store, name, fail)
        kept.saw(visit(axis(0)))
        await kept.settled()
        for call in (
            partial(kept.of_gallery, "default"),
            partial(kept.person, "default", 1),
            partial(kept.forget_all, "default"),
        ):
            with pytest.raises(StorageBusy, match="log says why") as caught:
                await call()
            assert "secret" not in str(caught.value)
        await kept.forget_gallery("default")  # the gallery is deleted nevertheless
    assert {type(event) for event in events} == {UnknownFailed}
    kept.saw(visit(axis(1)))
    assert len(await kept.of_gallery("default")) == 1


async def test_no_failure_keeps_people_from_being_deleted(
    kept: UnknownKeeper,
    store: UnknownFiles,
    gallery: MemoryGallery,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("of no kind that is expected")

    with monkeypatch.context() as patched:
        patched.setattr(store, "add", fail)
        patched.setattr(store, "people", fail)
        kept.saw(visit(axis(0)))
        await kept.forget_enrolled()
    assert [type(event) for event in events] == [UnknownFailed] * 2
    kept.saw(visit(axis(1)))
    await enroll(gallery, "ada", axis(1))
    await kept.forget_enrolled()
    assert await kept.of_gallery("default") == []


async def test_visits_that_cannot_wait_are_told(
    store: UnknownFiles, gallery: MemoryGallery, events: list[Event]
) -> None:
    opened = UnknownKeeper(store, gallery, DecisionPolicy(0.5, 0.03, 0.0), events.append)
    for _ in range(1001):
        opened.saw(visit(axis(0)))
    opened.close()
    assert [type(event) for event in events] == [UnknownFailed]


async def test_nothing_is_kept_unless_the_operator_allows_it() -> None:
    none = NotKeptUnknown()
    none.saw(visit(axis(0)))
    for call in (
        none.of_gallery("default"),
        none.person("default", 1),
        none.forget("default", 1),
        none.forget_all("default"),
    ):
        with pytest.raises(UnknownPeopleNotKept):
            await call
    await none.forget_gallery("default")
    await none.forget_enrolled()
