"""Tracks in view while their identity is merged into another one: for the journal in memory and the one on LMDB, with a real gallery."""

from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import TrackNotFound
from facewire_server.streams.journal import Crop, Journal
from facewire_server.types import Outcome, Quality, TrackEvent, TrackState
from fakes.journals import opened_journal
from fakes.tracks import ambiguous, known, track_event

CROP = Crop(b"\xff\xd8 a picture", 9, Quality(64.0, 12.5, 99.0, 7.25, 11.5, -0.125, 0.25))
ENDED, RETRACTED = TrackState.ENDED, TrackState.RETRACTED


@pytest.fixture
def gallery(tmp_path: Path):
    opened = LmdbGallery(
        tmp_path / "gallery",
        vector_search=ExactSearch(),
        model_contract_id="c" * 64,
        dimension=128,
    )
    with closing(opened):
        yield opened


@pytest.fixture(params=["memory", "lmdb"])
async def journal(
    request: pytest.FixtureRequest, gallery: LmdbGallery, tmp_path: Path
) -> AsyncIterator[Journal]:
    for person in ("Anna", "Anna 2", "Ben"):
        await gallery.create_identity("default", person, f"Name of {person}")
    if request.param == "memory":
        yield MemoryJournal(gallery, keeps_crops=True)
        return
    with opened_journal(tmp_path / "journal", gallery, keeps_crops=True) as opened:
        yield opened


async def kept(journal: Journal) -> list[TrackEvent]:
    _, events = await journal.watch(1, kept_only=True)
    async with aclosing(events):
        return [one.event async for one in events]


async def seen(journal: Journal, *numbers: int, name: str = "Anna 2") -> Any:
    """A stream with tracks of a name, a picture each."""
    stream = await journal.open_stream("door", "default")
    for number in numbers:
        await journal.keep_crop(number, CROP)
    await stream.record([track_event(number, known(name)) for number in numbers])
    return stream


@pytest.mark.parametrize(
    "late",
    [
        track_event(1, known("Anna 2"), state=ENDED),
        track_event(1, ambiguous("Ben", "Anna 2")),
        track_event(1, state=RETRACTED, previous_identity_id="Anna 2"),
    ],
    ids=["ended", "ambiguous", "retracted"],
)
async def test_an_event_with_the_merged_name_is_about_who_stays(
    journal: Journal, gallery: LmdbGallery, late: TrackEvent
) -> None:
    """A frame was worked on while the two were merged."""
    stream = await seen(journal, 1)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    (recorded,) = await stream.record([late])
    assert recorded.has_crop
    first, second = await kept(journal)
    assert second.event_id == recorded.event_id
    assert first.decision.identity is not None
    assert first.decision.identity[:2] == ("Anna", "Name of Anna")
    about = {one.identity_id for one in second.decision.ambiguous_between}
    about |= {second.previous_identity_id}
    about |= {second.decision.identity.identity_id} if second.decision.identity else set()
    assert "Anna" in about
    await journal.maintain()
    assert len(await kept(journal)) == 2
    assert await journal.crop(1) == CROP


async def test_a_decision_between_two_who_are_merged_is_about_the_one(
    journal: Journal, gallery: LmdbGallery
) -> None:
    stream = await journal.open_stream("door", "default")
    decision = ambiguous("Anna 2", "Anna")
    await stream.record([track_event(1, decision)])
    await stream.record([track_event(2, ambiguous("Ben", "Anna"))])
    stream.break_off()
    await gallery.merge_identities("default", "Anna", "Anna 2")
    first, second = [one.decision for one in await kept(journal)]
    assert (first.outcome, first.margin, first.ambiguous_between) == (Outcome.KNOWN, 0.0, ())
    assert first.identity is not None
    assert first.identity[:3] == (
        "Anna",
        "Name of Anna",
        decision.ambiguous_between[0].similarity,
    )
    assert [one.identity_id for one in second.ambiguous_between] == ["Ben", "Anna"]
    again = await journal.open_stream("door", "default", stream.token)
    assert [one.event.decision for one in again.tracks if one.event.track_id == 1] == [first]
    await gallery.delete_identity("default", "Anna")
    assert await kept(journal) == []


async def test_a_chain_of_merges_is_followed(journal: Journal, gallery: LmdbGallery) -> None:
    stream = await seen(journal, 1)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    await gallery.merge_identities("default", "Ben", "Anna")
    await stream.record([track_event(1, known("Anna 2"), state=ENDED)])
    names = [
        one.decision.identity and one.decision.identity.identity_id for one in await kept(journal)
    ]
    assert names == ["Ben", "Ben"]


async def test_who_is_deleted_after_the_merge_takes_events_and_pictures_along(
    journal: Journal, gallery: LmdbGallery
) -> None:
    stream = await seen(journal, 1, 2)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    await stream.record([track_event(1, known("Anna 2"), state=ENDED)])
    await gallery.delete_identity("default", "Anna")
    (recorded,) = await stream.record([track_event(2, known("Anna 2"), state=ENDED)])
    assert not recorded.has_crop
    assert await kept(journal) == []
    await journal.maintain()
    assert (await journal.statistics()).crops == 0


async def test_a_resumed_stream_carries_on_a_track_of_a_merged_identity(
    journal: Journal, gallery: LmdbGallery
) -> None:
    stream = await seen(journal, 1)
    stream.break_off()
    again = await journal.open_stream("door", "default", stream.token)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    (recorded,) = await again.record([track_event(1, known("Anna 2"), state=ENDED)])
    assert recorded.has_crop
    assert [one.state for one in await kept(journal)] == [TrackState.CONFIRMED, ENDED]


LATE = [
    track_event(1, known("Anna 2"), state=ENDED),
    track_event(1, state=RETRACTED, previous_identity_id="Anna 2"),
]
"""Events of a frame that was worked on while the id "Anna 2" went and came back."""


async def names(journal: Journal) -> list[str]:
    """Whom each kept event names, "" if no one; of a retraction whom it takes back."""
    return [
        one.previous_identity_id
        or (one.decision.identity.identity_id if one.decision.identity else "")
        for one in await kept(journal)
    ]


@pytest.mark.parametrize("late", LATE, ids=["ended", "retracted"])
async def test_a_late_event_is_not_about_who_got_the_merged_id_since(
    journal: Journal, gallery: LmdbGallery, late: TrackEvent
) -> None:
    stream = await seen(journal, 1)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    await gallery.create_identity("default", "Anna 2", "someone else")
    await stream.record([late])
    assert await names(journal) == ["Anna", "Anna"]


async def test_a_late_event_is_not_about_who_got_the_id_of_a_deleted_person_since(
    journal: Journal, gallery: LmdbGallery
) -> None:
    stream = await seen(journal, 1, 2)
    await gallery.delete_identity("default", "Anna 2")
    await gallery.create_identity("default", "Anna 2", "someone else")
    await stream.record([track_event(1, known("Anna 2"), state=ENDED)])
    await stream.record([track_event(2, state=RETRACTED, previous_identity_id="Anna 2")])
    assert set(await names(journal)) <= {""}


async def test_a_resumed_stream_has_no_late_event_about_who_got_the_merged_id_since(
    journal: Journal, gallery: LmdbGallery
) -> None:
    stream = await seen(journal, 1)
    stream.break_off()
    again = await journal.open_stream("door", "default", stream.token)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    await gallery.create_identity("default", "Anna 2", "someone else")
    await again.record([track_event(1, known("Anna 2"), state=ENDED)])
    assert await names(journal) == ["Anna", "Anna"]


async def test_a_track_that_is_decided_again_is_about_who_has_the_id_now(
    journal: Journal, gallery: LmdbGallery
) -> None:
    stream = await seen(journal, 1)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    await gallery.create_identity("default", "Anna 2", "someone else")
    decided = replace(known("Anna 2"), gallery_revision=known("Anna 2").gallery_revision + 2)
    await stream.record([track_event(1, decided)])
    await stream.record([track_event(1, decided, state=ENDED)])
    assert await names(journal) == ["Anna", "Anna 2", "Anna 2"]


async def test_the_name_of_one_track_says_nothing_about_another_nor_after_its_end(
    journal: Journal, gallery: LmdbGallery
) -> None:
    """A track that never had the name may have been named after someone who was deleted."""
    stream = await seen(journal, 1)
    await gallery.merge_identities("default", "Anna", "Anna 2")
    await journal.keep_crop(2, CROP)
    await stream.record([track_event(2, known("Anna 2"))])
    await stream.record([track_event(1, known("Anna 2"), state=ENDED)])
    await stream.record([track_event(1, known("Anna 2"), state=ENDED)])
    assert [one.track_id for one in await kept(journal)] == [1, 1]
    with pytest.raises(TrackNotFound):
        await journal.crop(2)
