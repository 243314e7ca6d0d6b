"""The port of the journal: one test for the one in memory and for LMDB."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from facewire_server.backends.lmdb_journal import open_journal
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import CropsNotKept, InvalidField, StreamTakenOver, TrackNotFound
from facewire_server.events import Event
from facewire_server.streams.journal import (
    Crop,
    EventFilter,
    Journal,
    OpenTrack,
    WatchedEvent,
)
from facewire_server.types import Outcome, Quality, TrackEvent, TrackReason, TrackState
from facewire_server.work import steady_clock
from fakes.gallery import MemoryGallery
from fakes.tracks import NOW_US, Clock, ambiguous, candidate, known, track_event, unknown

QUALITY = Quality(64.0, 12.5, 99.0, 7.25, 11.5, -0.125, 0.25)
CROP = Crop(b"\xff\xd8 a picture", 9, QUALITY)


@dataclass
class World:
    """A journal, the people whom it refers to, and its clock."""

    journal: Journal
    people: MemoryGallery
    clock: Clock
    opened: Callable[..., Journal]


@pytest.fixture(params=["memory", "lmdb"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    people = MemoryGallery(model_contract_id="c" * 64, dimension=128)
    for person in ("Anna", "Ben", "Zoe"):
        await people.create_identity("default", person, f"Name of {person}")
    clock, all_opened = Clock(), list[Any]()

    def opened(**options: Any) -> Journal:
        if request.param == "memory":
            return MemoryJournal(people, now_us=clock, **options)
        defaults = {"keep_count": 1000, "keep_s": 86_400.0, "keeps_crops": False}
        journal, replaced = open_journal(
            tmp_path / f"{len(all_opened)}",
            people,
            emit=fail_on,
            clock=clock,
            **(defaults | options),
        )
        assert replaced is None
        all_opened.append(journal)
        return journal

    yield World(opened(keeps_crops=True), people, clock, opened)
    for journal in all_opened:
        journal.close()


def fail_on(event: Event) -> None:
    raise AssertionError(event)


@pytest.fixture
def journal(world: World) -> Journal:
    return world.journal


async def kept(journal: Journal, wanted: EventFilter | None = None) -> list[TrackEvent]:
    """All events that a watcher receives who asks for all that are kept."""
    return [one.event for one in await watched(journal, 1, wanted)]


async def watched(
    journal: Journal, after: int, wanted: EventFilter | None = None
) -> list[WatchedEvent]:
    """The events after one, up to one that is recorded now."""
    everything = wanted or EventFilter()
    decision = known(next(iter(everything.identity_ids))) if everything.identity_ids else None
    last = track_event(1, decision, camera_id="the last one")
    if everything.camera_ids:
        everything = replace(everything, camera_ids=everything.camera_ids | {last.camera_id})
    stream = await journal.open_stream(last.camera_id, "default")
    _, events = await journal.watch(after, everything)
    (end,) = await stream.record([last])
    found: list[WatchedEvent] = []
    async with asyncio.timeout(10), aclosing(events):
        async for one in events:
            if one.event.event_id == end.event_id:
                break
            found.append(one)
    await stream.end()
    return [one for one in found if one.event.camera_id != last.camera_id]


async def next_of(events: AsyncGenerator[WatchedEvent, None]) -> TrackEvent:
    async with asyncio.timeout(10):
        return (await anext(events)).event


def named(event: TrackEvent) -> TrackEvent:
    """The event as a reader receives it: without template ids and candidates."""

    def plain(one: Any) -> Any:
        return one and one._replace(template_id="")

    decision = replace(
        event.decision,
        best=plain(event.decision.best),
        candidates=(),
        ambiguous_between=tuple(map(plain, event.decision.ambiguous_between)),
    )
    return replace(event, decision=decision)


async def test_a_watcher_receives_what_was_recorded(journal: Journal) -> None:
    stream = await journal.open_stream("door", "default")
    events = [
        track_event(11, state=TrackState.TENTATIVE, reason=TrackReason.APPEARED),
        track_event(11, known("Anna")),
        track_event(12, ambiguous("Anna", "Ben"), visit_id=11),
        track_event(
            11, state=TrackState.RETRACTED, previous_identity_id="Anna", presentation_attack=0.75
        ),
    ]
    recorded = await stream.record(events)
    nearest = unknown()
    hidden = replace(nearest, best=candidate("", 0.25)._replace(display_name="", template_id=""))
    expected = [named(one) for one in recorded]
    expected[0] = replace(expected[0], decision=hidden)
    expected[3] = replace(expected[3], decision=hidden)
    assert await kept(journal) == expected


async def test_recording_numbers_events_and_changes_nothing_else(journal: Journal) -> None:
    stream = await journal.open_stream("door", "default")
    events = [track_event(11, known("Anna")), track_event(12)]
    recorded = await stream.record(events)
    assert [replace(one, event_id=0) for one in recorded] == events
    assert recorded[1].event_id > recorded[0].event_id >= NOW_US


async def test_ids_of_events_and_tracks_are_never_used_twice(world: World) -> None:
    journal = world.journal
    stream = await journal.open_stream("door", "default")
    events = [one.event_id for _ in range(3) for one in await stream.record([track_event(1)] * 3)]
    tracks = [journal.new_track_id() for _ in range(50)]
    assert events == sorted(set(events))
    assert len(set(tracks)) == 50
    assert max(*events, *tracks) < 2**53
    world.clock.advance(1)  # another journal knows nothing of this one: the time is above its ids
    other = world.opened()
    later = await (await other.open_stream("door", "default")).record([track_event(1)])
    assert later[0].event_id > max(events)
    assert other.new_track_id() > max(tracks)


async def test_a_watcher_from_now_on_misses_nothing_after_the_call(journal: Journal) -> None:
    stream = await journal.open_stream("door", "default")
    await stream.record([track_event(11)])
    follows, events = await journal.watch(0)
    async with aclosing(events):
        recorded = await stream.record([track_event(12), track_event(13)])
        found = [await next_of(events) for _ in recorded]
    assert [one.event_id for one in found] == [one.event_id for one in recorded]
    assert 0 < follows < recorded[0].event_id
    again = await watched(journal, follows)
    assert [one.event.event_id for one in again] == [one.event_id for one in recorded]


async def test_a_feed_of_an_empty_journal_follows_something(journal: Journal) -> None:
    follows, events = await journal.watch(0)
    await events.aclose()
    stream = await journal.open_stream("door", "default")
    (recorded,) = await stream.record([track_event(1)])
    assert follows
    (found,) = await watched(journal, follows)
    assert (found.event.event_id, found.events_lost) == (recorded.event_id, False)


async def test_a_feed_of_what_is_kept_ends(journal: Journal) -> None:
    async def listed(after: int) -> list[int]:
        _, events = await journal.watch(after, kept_only=True)
        async with asyncio.timeout(10), aclosing(events):
            await stream.record([track_event(7)])
            return [one.event.track_id async for one in events]

    stream = await journal.open_stream("door", "default")
    assert await listed(1) == []
    (second,) = await stream.record([track_event(2)])
    assert await listed(1) == [7, 2]
    assert await listed(second.event_id) == [7]
    assert await listed(0) == []


async def test_a_watcher_goes_on_after_the_event_that_it_names(journal: Journal) -> None:
    stream = await journal.open_stream("door", "default")
    first, second, third = await stream.record([track_event(number) for number in (1, 2, 3)])
    after = await watched(journal, first.event_id)
    assert [one.event.event_id for one in after] == [second.event_id, third.event_id]
    assert not any(one.events_lost for one in after)


async def test_events_are_filtered_by_camera_identity_and_state(journal: Journal) -> None:
    door = await journal.open_stream("door", "default")
    yard = await journal.open_stream("yard", "default")
    await door.record([track_event(1, known("Anna"))])
    await yard.record([track_event(2, ambiguous("Ben", "Anna"), camera_id="yard")])
    await door.record(
        [
            track_event(3, known("Ben")),
            track_event(1, state=TrackState.RETRACTED, previous_identity_id="Anna"),
            track_event(4),
        ]
    )

    async def tracks(**wanted: frozenset[Any]) -> list[int]:
        return [one.track_id for one in await kept(journal, EventFilter(**wanted))]

    assert await tracks(camera_ids=frozenset({"yard"})) == [2]
    assert await tracks(identity_ids=frozenset({"Anna"})) == [1, 2, 1]
    assert await tracks(identity_ids=frozenset({"Ben"}), camera_ids=frozenset({"door"})) == [3]
    _, events = await journal.watch(1, EventFilter(states=frozenset({TrackState.RETRACTED})))
    async with aclosing(events):
        assert (await next_of(events)).track_id == 1


async def test_no_more_events_are_kept_than_allowed_and_the_loss_is_said_once(world: World) -> None:
    journal = world.opened(keep_count=5)
    stream = await journal.open_stream("door", "default")
    recorded = await stream.record([track_event(number) for number in range(1, 9)])
    found = await watched(journal, recorded[0].event_id)
    assert [one.event.track_id for one in found] == [4, 5, 6, 7, 8][-len(found) :]
    assert [one.events_lost for one in found] == [True] + [False] * (len(found) - 1)


@pytest.fixture
def steady_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is steady after two rounds, rather than ten minutes."""
    monkeypatch.setattr(steady_clock, "_STEADY_LOOKS", 1)


async def rounds(journal: Journal, count: int = 2) -> None:
    for _ in range(count):
        await journal.maintain()


@pytest.mark.usefixtures("steady_at_once")
async def test_events_are_kept_for_a_time(world: World) -> None:
    journal = world.opened(keep_s=60.0)
    stream = await journal.open_stream("door", "default")
    await stream.record([track_event(1)])
    world.clock.advance(50)
    await stream.record([track_event(2, server_time_us=world.clock())])
    world.clock.advance(11)
    await rounds(journal)
    assert [one.track_id for one in await kept(journal)] == [2]


@pytest.mark.usefixtures("steady_at_once")
async def test_after_a_clock_that_was_ahead_events_are_kept_for_their_time_and_no_longer(
    world: World,
) -> None:
    """Their ids go on from where the wrong clock was."""
    journal, year_s = world.opened(keep_s=60.0), 31_536_000
    stream = await journal.open_stream("door", "default")
    world.clock.advance(year_s)
    await stream.record([track_event(1, server_time_us=world.clock())])
    world.clock.advance(-year_s)
    await stream.record([track_event(2, server_time_us=world.clock())])
    await rounds(journal)
    assert [one.track_id for one in await kept(journal)] == [2]
    world.clock.advance(61)
    await stream.record([track_event(3, server_time_us=world.clock())])
    await rounds(journal)
    assert [one.track_id for one in await kept(journal)] == [3]


@pytest.mark.parametrize("wrong_s", [-1_000_000_000, 31_536_000])
async def test_a_clock_that_is_wrong_for_a_while_removes_nothing(
    world: World, wrong_s: int
) -> None:
    """As that of a machine which starts, before it has asked for the time."""
    journal = world.opened(keep_s=60.0)
    stream = await journal.open_stream("door", "default")
    await stream.record([track_event(1)])
    world.clock.advance(wrong_s)
    await rounds(journal, 10)
    world.clock.advance(-wrong_s)
    await rounds(journal)
    assert [one.track_id for one in await kept(journal)] == [1]


async def test_an_event_about_a_deleted_person_is_not_returned(world: World) -> None:
    journal = world.journal
    stream = await journal.open_stream("door", "default")
    await stream.record(
        [
            track_event(1, known("Anna")),
            track_event(2, ambiguous("Ben", "Anna")),
            track_event(3, known("Ben")),
            track_event(1, state=TrackState.RETRACTED, previous_identity_id="Anna"),
        ]
    )
    await world.people.delete_identity("default", "Anna")
    for _ in range(2):  # before and after they are removed
        found = await kept(journal)
        assert [(one.track_id, one.previous_identity_id) for one in found] == [(3, ""), (1, "")]
        await journal.maintain()


async def test_a_person_of_the_same_id_is_another_one(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    await stream.record([track_event(1, known("Anna"))])
    await world.people.delete_identity("default", "Anna")
    await world.people.create_identity("default", "Anna", "Another Anna")
    assert await kept(world.journal) == []


async def test_a_deleted_gallery_takes_its_events_along(world: World) -> None:
    await world.people.create_gallery("staff", "")
    await world.people.create_identity("staff", "Anna", "")
    staff = await world.journal.open_stream("door", "staff")
    await staff.record([track_event(1, known("Anna"), gallery_id="staff")])
    default = await world.journal.open_stream("door", "default")
    await default.record([track_event(2, known("Anna"))])
    await world.people.delete_gallery("staff")
    assert [one.track_id for one in await kept(world.journal)] == [2]
    await world.people.delete_gallery("default")  # is emptied
    assert await kept(world.journal) == []


async def test_an_event_about_a_person_who_is_gone_already_is_numbered_and_not_kept(
    world: World,
) -> None:
    stream = await world.journal.open_stream("door", "default")
    await world.people.delete_identity("default", "Anna")
    (recorded,) = await stream.record([track_event(1, known("Anna"))])
    assert recorded.event_id
    assert await kept(world.journal) == []


async def resumed(world: World, token: bytes, **names: str) -> Any:
    return await world.journal.open_stream(
        names.get("camera_id", "door"), names.get("gallery_id", "default"), token
    )


async def test_a_stream_that_broke_off_is_resumed_with_its_sequence_and_tracks(
    world: World,
) -> None:
    stream = await world.journal.open_stream("door", "default")
    assert (stream.after_sequence, list(stream.tracks), len(stream.token)) == (0, [], 16)
    events = [
        track_event(1, known("Anna")),
        track_event(2, state=TrackState.TENTATIVE),
        track_event(3),
        track_event(3, state=TrackState.ENDED, reason=TrackReason.LOST),
    ]
    anna, second, _, _ = await stream.record(events)
    await stream.save({1: (0.5, 1e300, -3.0), 2: ()})
    stream.account(41)
    stream.account(42)
    stream.break_off()
    world.clock.advance(59)
    again = await resumed(world, stream.token)
    assert again.token == stream.token
    assert again.after_sequence == 42
    tracks = sorted(again.tracks, key=lambda one: one.event.track_id)
    assert tracks[0] == OpenTrack(named(anna), (0.5, 1e300, -3.0))
    assert tracks[1].numbers == ()
    assert tracks[1].event.event_id == second.event_id
    assert len(tracks) == 2
    again.account(43)
    again.break_off()
    assert (await resumed(world, stream.token)).after_sequence == 43


async def test_a_token_of_another_camera_or_gallery_is_refused(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    for names in ({"camera_id": "yard"}, {"gallery_id": "staff"}):
        with pytest.raises(InvalidField) as refused:
            await resumed(world, stream.token, **names)
        assert refused.value.field == "config.resume_token"
    stream.account(1)  # it was not taken over


async def test_an_open_stream_is_taken_over_by_the_one_that_shows_its_token(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    stream.account(5)
    waiting = asyncio.create_task(stream.taken_over())
    again = await resumed(world, stream.token)
    assert again.after_sequence == 5
    with pytest.raises(StreamTakenOver):
        stream.account(6)
    with pytest.raises(StreamTakenOver):
        await stream.record([track_event(1)])
    with pytest.raises(StreamTakenOver):
        await stream.save({})
    with pytest.raises(StreamTakenOver):
        await stream.end()
    with pytest.raises(StreamTakenOver):
        await asyncio.wait_for(waiting, 10)
    stream.break_off()  # says nothing about the stream that took over
    again.account(6)
    world.clock.advance(61)
    await world.journal.maintain()
    again.account(7)


async def test_the_tracks_of_a_stream_that_is_not_resumed_in_time_are_ended(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    (recorded,) = await stream.record([track_event(1, known("Anna"))])
    stream.account(9)
    stream.break_off()
    world.clock.advance(61)
    for _ in range(3):
        await world.journal.maintain()
    _, ended = await kept(world.journal)
    assert (ended.state, ended.reason) == (TrackState.ENDED, TrackReason.STREAM_ENDED)
    assert ended.server_time_us == world.clock()
    assert ended.decision == named(recorded).decision
    late = await resumed(world, stream.token)
    assert late.token != stream.token
    assert (late.after_sequence, list(late.tracks)) == (0, [])


async def test_a_clock_that_is_set_back_does_not_keep_the_tracks_of_a_stream_that_broke_off(
    world: World,
) -> None:
    stream = await world.journal.open_stream("door", "default")
    await stream.record([track_event(1)])
    stream.break_off()
    world.clock.advance(-3600)
    for _ in range(3):
        await world.journal.maintain()
    assert [one.state for one in await kept(world.journal)][1:] == [TrackState.ENDED]


async def test_an_open_stream_is_not_overdue(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    await stream.record([track_event(1)])
    world.clock.advance(3600)
    await world.journal.maintain()
    stream.account(1)
    assert [one.state for one in await kept(world.journal)] == [TrackState.CONFIRMED]


async def test_a_stream_that_ends_well_ends_its_tracks_and_forgets_its_token(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    await stream.record([track_event(1, known("Anna")), track_event(2)])
    ended = await stream.end()
    assert sorted((one.track_id, one.state.value) for one in ended) == [(1, "ended"), (2, "ended")]
    assert len(await kept(world.journal)) == 4
    assert (await resumed(world, stream.token)).token != stream.token


async def test_a_track_of_a_deleted_person_is_resumed_without_them(world: World) -> None:
    stream = await world.journal.open_stream("door", "default")
    await stream.record([track_event(1, known("Anna"))])
    stream.break_off()
    await world.people.delete_identity("default", "Anna")
    again = await resumed(world, stream.token)
    (track,) = again.tracks
    assert track.event.decision.outcome is Outcome.PENDING
    assert track.event.decision.best is None
    (ended,) = await again.end()
    assert ended.decision.outcome is Outcome.PENDING


@pytest.mark.parametrize("state", [TrackState.CONFIRMED, TrackState.RETRACTED])
async def test_the_picture_of_a_person_who_is_deleted_while_a_frame_is_worked_on_is_not_kept(
    world: World, state: TrackState
) -> None:
    journal = world.journal
    stream = await journal.open_stream("door", "default")
    await stream.record([track_event(1, known("Anna"))])
    await world.people.delete_identity("default", "Anna")
    await journal.maintain()
    await journal.keep_crop(1, CROP)  # cut before the deletion
    if state is TrackState.RETRACTED:
        event = track_event(1, state=state, previous_identity_id="Anna")
    else:
        event = track_event(1, known("Anna"))
    (recorded,) = await stream.record([event])
    assert not recorded.has_crop
    with pytest.raises(TrackNotFound):
        await journal.crop(1)
    assert (await journal.statistics()).crops == 0


@pytest.mark.usefixtures("steady_at_once")
async def test_a_picture_is_kept_until_its_person_or_its_events_are_gone(world: World) -> None:
    journal = world.journal
    stream = await journal.open_stream("door", "default")
    for number, person in ((1, "Anna"), (2, "Ben")):
        await journal.keep_crop(number, replace(CROP, jpeg=b"an earlier one"))
        await journal.keep_crop(number, CROP)
        (recorded,) = await stream.record([track_event(number, known(person))])
        assert recorded.has_crop
        assert await journal.crop(number) == CROP
    assert all(one.has_crop for one in await kept(journal))
    await world.people.delete_identity("default", "Anna")
    with pytest.raises(TrackNotFound):
        await journal.crop(1)
    await journal.maintain()
    statistics = await journal.statistics()
    assert (statistics.crops, statistics.crop_bytes) == (1, len(CROP.jpeg))
    world.clock.advance(90_000)
    await rounds(journal)
    with pytest.raises(TrackNotFound):
        await journal.crop(2)
    assert (await journal.statistics()).crops == 0


async def test_a_track_without_a_picture_has_none(journal: Journal) -> None:
    stream = await journal.open_stream("door", "default")
    (recorded,) = await stream.record([track_event(1)])
    assert not recorded.has_crop
    for track_id in (1, 2, 0, 2**63, 2**64 - 1):
        with pytest.raises(TrackNotFound):
            await journal.crop(track_id)


async def test_events_and_pictures_are_of_the_galleries_that_are_wanted(journal: Journal) -> None:
    for number, gallery_id in ((1, "default"), (2, "guests")):
        stream = await journal.open_stream("door", gallery_id)
        await journal.keep_crop(number, CROP)
        await stream.record([track_event(number, gallery_id=gallery_id)])
    await journal.keep_crop(3, CROP)  # of a track without an event yet: whose it is, is unknown
    guests, others = frozenset({"guests"}), frozenset({"others"})

    async def tracks(gallery_ids: frozenset[str]) -> list[int]:
        _, events = await journal.watch(1, EventFilter(gallery_ids=gallery_ids), kept_only=True)
        async with aclosing(events):
            return [one.event.track_id async for one in events]

    assert await tracks(guests) == [2]
    assert await tracks(guests | {"default"}) == [1, 2]
    assert await tracks(others) == []
    assert await journal.crop(2, guests) == CROP
    for track_id, wanted in ((1, guests), (2, others), (3, guests)):
        with pytest.raises(TrackNotFound):
            await journal.crop(track_id, wanted)


async def test_no_picture_is_kept_unless_the_operator_allows_it(world: World) -> None:
    journal = world.opened()
    await journal.keep_crop(1, CROP)
    assert not journal.keeps_crops
    with pytest.raises(CropsNotKept):
        await journal.crop(1)
    assert (await journal.statistics()).crops == 0


async def test_the_statistics_count_events_streams_and_watchers(journal: Journal) -> None:
    stream = await journal.open_stream("door", "default")
    await stream.record([track_event(1), track_event(2)])
    _, events = await journal.watch(1)
    async with aclosing(events):
        await next_of(events)
        statistics = await journal.statistics()
        assert (statistics.events, statistics.streams, statistics.watchers) == (2, 1, 1)
    assert (await journal.statistics()).watchers == 0
