"""The feed of tracks, and the pictures of tracks, over real gRPC; the journal is the one in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.rpc import watching
from facewire_server.streams.journal import Crop, JournaledStream
from facewire_server.types import Quality, TrackReason, TrackState
from fakes.tracks import known, track_event
from fakes.wire import EOF, LIMITS, Galleries, Wire, reason_and_fields, served

Request = recognition_pb2.WatchTracksRequest
QUALITY = Quality(64.0, 12.5, 99.0, 7.25, 11.5, -0.125, 0.25)


@asynccontextmanager
async def watched(**options: Any) -> AsyncIterator[tuple[Wire, MemoryJournal, JournaledStream]]:
    """A server, its journal, and a stream of camera "door" in it."""
    gallery = Galleries()
    await gallery.create_identity("default", "Anna", "Name of Anna")
    journal = MemoryJournal(gallery, keeps_crops=True)
    async with served(gallery=gallery, journal=journal, **options) as wire:
        yield wire, journal, await journal.open_stream("door", "default")


async def failed(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with asyncio.timeout(30):
            await call
    return caught.value.code(), reason_and_fields(caught.value)[0]


async def followed(call: Any) -> int:
    """The event that the headers say the feed follows."""
    async with asyncio.timeout(30):
        return int(dict(await call.initial_metadata())["facewire-after-event"])


async def test_the_headers_come_at_once_and_no_later_event_is_missed() -> None:
    async with watched() as (wire, _, stream):
        (before,) = await stream.record([track_event(1)])
        call = wire.recognition.WatchTracks(Request())
        assert await followed(call) == before.event_id
        event = track_event(
            2,
            known("Anna"),
            visit_id=1,
            reason=TrackReason.SWAPPED,
            state=TrackState.RETRACTED,
            previous_identity_id="Anna",
        )
        (recorded,) = await stream.record([event])
        answer = await call.read()
    assert not answer.events_lost
    message = answer.event
    assert message.event_id == recorded.event_id
    assert (message.camera_id, message.gallery_id) == ("door", "default")
    assert (message.track_id, message.visit_id) == (2, 1)
    assert message.state == recognition_pb2.TRACK_STATE_RETRACTED
    assert message.reason == recognition_pb2.TRACK_REASON_SWAPPED
    assert message.decision.outcome == face_pb2.OUTCOME_KNOWN
    assert (message.decision.identity_id, message.decision.display_name) == ("Anna", "Name of Anna")
    assert (message.decision.template_id, len(message.decision.candidates)) == ("", 0)
    assert message.previous_identity_id == "Anna"
    assert (message.first_sequence, message.last_sequence) == (3, 9)
    assert message.first_seen_us < message.last_seen_us < message.server_time_us


async def test_a_watcher_goes_on_after_an_event_and_filters() -> None:
    async with watched() as (wire, journal, stream):
        yard = await journal.open_stream("yard", "default")
        first, *_ = await stream.record([track_event(number) for number in (1, 2)])
        await yard.record([track_event(3, known("Anna"), camera_id="yard")])
        await stream.record([track_event(2, state=TrackState.ENDED)])

        async def tracks(**fields: Any) -> list[int]:
            call = wire.recognition.WatchTracks(Request(kept_only=True, **fields))
            return [answer.event.track_id async for answer in call]

        assert await tracks(after_event=1) == [1, 2, 3, 2]
        assert await tracks(after_event=first.event_id) == [2, 3, 2]
        assert await tracks(after_event=1, camera_ids=["yard"]) == [3]
        assert await tracks(after_event=1, identity_ids=["Anna"]) == [3]
        ended = recognition_pb2.TRACK_STATE_ENDED
        assert await tracks(after_event=1, states=[ended]) == [2]
        assert await tracks() == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"camera_ids": ["a"] * 65}, "camera_ids"),
        ({"camera_ids": ["a", "b" * 129]}, "camera_ids[1]"),
        ({"identity_ids": ["a"] * 65}, "identity_ids"),
        ({"identity_ids": [""]}, "identity_ids[0]"),
        ({"states": [1] * 17}, "states"),
        ({"states": [1, 0]}, "states[1]"),
        ({"states": [99]}, "states[0]"),
    ],
)
async def test_a_filter_out_of_range_is_named(fields: dict[str, Any], field: str) -> None:
    async with watched() as (wire, _, _):
        call = wire.recognition.WatchTracks(Request(**fields))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_and_fields(caught.value) == ("FIELD_INVALID", [field])


async def test_a_drain_ends_the_watchers() -> None:
    async with watched() as (wire, _, _):
        call = wire.recognition.WatchTracks(Request())
        await followed(call)
        draining = asyncio.create_task(wire.server.drain(30))
        assert await failed(call.read()) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        async with asyncio.timeout(20):
            await draining


async def test_a_watcher_that_does_not_read_is_ended() -> None:
    limits = replace(LIMITS, slow_reader_timeout_s=0.2)
    async with watched(limits=limits, channel_options=(("grpc.http2.bdp_probe", 0),)) as opened:
        wire, journal, stream = opened
        call = wire.recognition.WatchTracks(Request())
        await followed(call)
        large = known("Anna")
        for _ in range(200):
            await stream.record([track_event(1, large)] * 100)
            if not (await journal.statistics()).watchers:
                break
        async with asyncio.timeout(30):
            while (await journal.statistics()).watchers:
                await asyncio.sleep(0.01)

        async def read_all() -> None:
            while await call.read() is not EOF:
                pass

        assert await failed(read_all()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SLOW_READER")


async def test_watchers_keep_no_other_call_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_MAX_WATCHERS", 2)
    async with watched() as (wire, journal, _):
        calls = [wire.recognition.WatchTracks(Request()) for _ in range(2)]
        for call in calls:
            await followed(call)
        over = wire.recognition.WatchTracks(Request())
        assert await failed(over.read()) == (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "TOO_MANY_CALLS",
        )
        await wire.recognition.GetServerInfo(recognition_pb2.GetServerInfoRequest())
        calls[0].cancel()
        async with asyncio.timeout(20):  # its place is free
            while (await journal.statistics()).watchers > 1:
                await asyncio.sleep(0.01)
        await followed(wire.recognition.WatchTracks(Request()))


async def test_watchers_that_come_at_once_take_no_ones_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "_MAX_WATCHERS", 2)
    async with watched() as (wire, journal, _):
        watch, are_there = journal.watch, asyncio.Event()
        waiting = 0

        async def late(*given: Any, **options: Any) -> Any:
            nonlocal waiting
            waiting += 1
            await are_there.wait()
            return await watch(*given, **options)

        monkeypatch.setattr(journal, "watch", late)
        calls = [wire.recognition.WatchTracks(Request()) for _ in range(3)]
        async with asyncio.timeout(20):
            while waiting < 3:
                await asyncio.sleep(0.01)
        are_there.set()
        over = await asyncio.wait_for(first_ended(calls), 20)
        assert "watch tracks" in (await over.details())
        for call in calls:
            if call is not over:
                await followed(call)
                assert not call.done()


async def first_ended(calls: list[Any]) -> Any:
    while True:
        for call in calls:
            if call.done():
                return call
        await asyncio.sleep(0.01)


async def test_the_picture_of_a_track_is_returned_until_its_person_is_deleted() -> None:
    async with watched() as (wire, journal, stream):
        await stream.record([track_event(7, known("Anna"))])
        await journal.keep_crop(7, Crop(b"\xff\xd8 jpeg", 42, QUALITY))
        request = recognition_pb2.GetTrackCropRequest(track_id=7)
        answer = await wire.recognition.GetTrackCrop(request)
        assert answer.image.data == b"\xff\xd8 jpeg"
        assert answer.image.format == face_pb2.IMAGE_FORMAT_JPEG
        assert (answer.sequence, answer.quality.embedding_norm) == (42, 11.5)
        other = wire.recognition.GetTrackCrop(recognition_pb2.GetTrackCropRequest(track_id=8))
        assert await failed(other) == (grpc.StatusCode.NOT_FOUND, "TRACK_NOT_FOUND")
        await wire.servicer._gallery.delete_identity("default", "Anna")  # type: ignore[attr-defined]
        assert await failed(wire.recognition.GetTrackCrop(request)) == (
            grpc.StatusCode.NOT_FOUND,
            "TRACK_NOT_FOUND",
        )


async def test_a_token_is_needed() -> None:
    async with watched(token="secret") as (wire, _, _):
        call = wire.recognition.WatchTracks(Request())
        assert (await failed(call.read()))[0] is grpc.StatusCode.UNAUTHENTICATED
