"""Events and resume of a stream, over a real server and a real channel, before a fake camera."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import grpc
import pytest

from facewire.v1 import recognition_pb2
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.types import TrackEvent, TrackState
from fakes.recognizer import FakeRecognizer
from fakes.tracks import track_event
from fakes.wire import EOF, LIMITS, Galleries, Wire, config, frame, reason_and_fields, served, until

EVERY_FRAME = recognition_pb2.FRAME_POLICY_EVERY_FRAME
EVENTS_ONLY = recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY


def an_event(state: TrackState = TrackState.TENTATIVE, track_id: int = 7) -> TrackEvent:
    return replace(track_event(track_id=track_id, state=state), gallery_id="default")


async def opened(wire: Wire, **fields: Any) -> tuple[Any, recognition_pb2.StreamStarted]:
    call = wire.recognition.StreamRecognize()
    await call.write(config(frame_policy=EVERY_FRAME, **fields))
    return call, (await call.read()).started


async def read_to_end(call: Any) -> list[Any]:
    left = []
    while (response := await call.read()) is not EOF:
        left.append(response)
    return left


def kinds(responses: list[Any]) -> list[str]:
    return [one.WhichOneof("message") for one in responses]


async def test_an_event_is_recorded_and_comes_right_before_the_frame_that_caused_it() -> None:
    recognizer, gallery = FakeRecognizer(), Galleries()
    journal = MemoryJournal(gallery)
    async with served(recognizer, gallery=gallery, journal=journal) as wire:
        feed = await journal.watch(0)
        call, _ = await opened(wire)
        await call.write(frame(1))
        assert (await call.read()).frame.sequence == 1
        recognizer.events += [an_event(), an_event(TrackState.CONFIRMED)]
        await call.write(frame(2))
        first, second, result = [await call.read() for _ in range(3)]
        assert kinds([first, second, result]) == ["track", "track", "frame"]
        assert 0 < first.track.event_id < second.track.event_id
        async with aclosing(feed.events) as watched:
            recorded = [(await anext(watched)).event.event_id for _ in range(2)]
        assert recorded == [first.track.event_id, second.track.event_id]
        await call.done_writing()
        assert kinds(await read_to_end(call)) == ["track"], "the open track ends with the stream"


async def test_an_event_without_a_frame_comes_by_itself() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer, limits=replace(LIMITS, refresh_s=0.01)) as wire:
        call, _ = await opened(wire)
        recognizer.events.append(an_event())
        assert (await call.read()).track.track_id == 7
        await call.write(frame(1))
        assert (await call.read()).frame.sequence == 1
        call.cancel()


async def test_events_of_a_frame_that_failed_are_not_lost() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer, limits=replace(LIMITS, refresh_s=60.0)) as wire:
        call, _ = await opened(wire)
        recognizer.cameras[0]._found.append(an_event())
        await call.write(frame(1, b"text"))
        assert kinds([await call.read(), await call.read()]) == ["track", "frame"]
        call.cancel()


async def test_where_only_events_are_wanted_frames_are_accounted_for_without_faces() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        call, _ = await opened(wire, detail=EVENTS_ONLY)
        recognizer.events.append(an_event())
        await call.write(frame(1))
        await call.write(frame(2, b"text"))
        event, result, failed = [await call.read() for _ in range(3)]
        assert event.WhichOneof("message") == "track"
        assert result.frame.status == recognition_pb2.FRAME_STATUS_OK
        assert (len(result.frame.faces), result.frame.timings.total_us) == (0, 0)
        assert failed.frame.status == recognition_pb2.FRAME_STATUS_INVALID
        call.cancel()


async def test_at_the_end_of_the_frames_the_tracks_end_before_the_stream_does() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        call, _ = await opened(wire)
        recognizer.events.append(an_event())
        await call.write(frame(1))
        await call.done_writing()
        *_, last = await read_to_end(call)
        assert last.track.state == recognition_pb2.TRACK_STATE_ENDED
        assert last.track.reason == recognition_pb2.TRACK_REASON_STREAM_ENDED
        assert await call.code() is grpc.StatusCode.OK
        assert recognizer.cameras[0].has_ended


async def broken_off(wire: Wire, call: Any) -> None:
    """Breaks the connection's stream, and waits until the server has noticed."""
    call.cancel()
    await until(lambda: not wire.streams())


async def test_a_stream_that_broke_off_goes_on_with_its_tracks_and_answers_no_frame_twice() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        call, started = await opened(wire)
        recognizer.events.append(an_event(TrackState.CONFIRMED))
        for sequence in (3, 5):
            await call.write(frame(sequence))
        assert kinds([await call.read() for _ in range(3)]) == ["track", "frame", "frame"]
        await broken_off(wire, call)
        again, resumed = await opened(wire, resume_token=started.resume_token)
        assert resumed.resume_token == started.resume_token
        assert (started.resume_after_sequence, resumed.resume_after_sequence) == (0, 5)
        (track,) = recognizer.cameras[1].restored
        assert (track.event.track_id, track.event.state) == (7, TrackState.CONFIRMED)
        assert not recognizer.cameras[0].has_ended
        before = len(recognizer.calls)
        for sequence in (3, 5, 6):
            await again.write(frame(sequence))
        await again.done_writing()
        left = await read_to_end(again)
        assert [one.frame.sequence for one in left if one.HasField("frame")] == [6]
        assert len(recognizer.calls) == before + 1


async def test_after_its_first_new_frame_a_resumed_stream_takes_no_older_one() -> None:
    async with served() as wire:
        call, started = await opened(wire)
        await call.write(frame(5))
        await call.read()
        await broken_off(wire, call)
        again, _ = await opened(wire, resume_token=started.resume_token)
        await again.write(frame(6))
        await again.read()
        await again.write(frame(5))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await read_to_end(again)
        assert reason_and_fields(caught.value)[0] == "OUT_OF_ORDER"


async def test_a_stream_that_is_still_open_is_taken_over_by_the_one_that_resumes_it() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        call, started = await opened(wire)
        await call.write(frame(1))
        await call.read()
        again, resumed = await opened(wire, resume_token=started.resume_token)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await read_to_end(call)
        assert caught.value.code() is grpc.StatusCode.ABORTED
        assert reason_and_fields(caught.value)[0] == "STREAM_TAKEN_OVER"
        assert resumed.resume_after_sequence == 1
        await again.write(frame(2))
        assert (await again.read()).frame.sequence == 2
        again.cancel()


async def test_a_drained_stream_keeps_its_tracks_open() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        call, _ = await opened(wire)
        recognizer.events.append(an_event())
        await call.write(frame(1))
        await call.read(), await call.read()
        draining = asyncio.create_task(wire.server.drain(30))
        assert kinds(await read_to_end(call)) == ["reconnect"]
        await draining
        assert not recognizer.cameras[0].has_ended


async def test_events_that_were_found_when_the_connection_broke_are_recorded() -> None:
    recognizer, gallery = FakeRecognizer(), Galleries()
    journal = MemoryJournal(gallery)
    async with served(
        recognizer, gallery=gallery, journal=journal, limits=replace(LIMITS, refresh_s=60.0)
    ) as wire:
        feed = await journal.watch(0)
        call, _ = await opened(wire)
        recognizer.cameras[0]._found.append(an_event())
        await broken_off(wire, call)
        async with asyncio.timeout(30), aclosing(feed.events) as watched:
            assert (await anext(watched)).event.track_id == 7


async def test_an_unknown_token_opens_a_new_stream() -> None:
    async with served() as wire:
        call, started = await opened(wire, resume_token=b"x" * 16)
        assert started.resume_after_sequence == 0
        assert started.resume_token not in (b"", b"x" * 16)
        call.cancel()
