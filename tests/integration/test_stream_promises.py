"""The promises of the stream, over a real server and a real channel."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import grpc
import pytest

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.streams import pace, reading, registry
from facewire_server.work.slots import WorkSlots
from fakes.recognizer import CONTRACT_ID, FakeRecognizer
from fakes.wire import (
    EOF,
    LIMITS,
    PICTURE,
    Galleries,
    Request,
    Wire,
    config,
    frame,
    reason_and_fields,
    served,
    until,
)

NEWEST_WINS = recognition_pb2.FRAME_POLICY_NEWEST_WINS
EVERY_FRAME = recognition_pb2.FRAME_POLICY_EVERY_FRAME
OK = recognition_pb2.FRAME_STATUS_OK
INVALID = recognition_pb2.FRAME_STATUS_INVALID
SUPERSEDED = recognition_pb2.SKIP_REASON_SUPERSEDED
OVER_CREDIT = recognition_pb2.SKIP_REASON_OVER_CREDIT


async def opened(wire: Wire, **fields: Any) -> Any:
    call = wire.recognition.StreamRecognize()
    await call.write(config(**fields))
    assert (await call.read()).WhichOneof("message") == "started"
    return call


def single(data: bytes) -> recognition_pb2.RecognizeRequest:
    return recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=data))


async def ended(call: Any) -> list[recognition_pb2.StreamRecognizeResponse]:
    """What is left to read; raises the status when it is not OK."""
    left: list[recognition_pb2.StreamRecognizeResponse] = []
    while (response := await call.read()) is not EOF:
        left.append(response)
    assert await call.code() is grpc.StatusCode.OK
    return left


async def failed(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ended(call)
    return caught.value.code(), reason_and_fields(caught.value)[0]


def accounted(
    responses: Sequence[recognition_pb2.StreamRecognizeResponse], sent: list[int]
) -> list[int]:
    """The sequences that the answers account for, of those sent."""
    found = []
    for response in responses:
        kind = response.WhichOneof("message")
        if kind == "frame":
            found.append(response.frame.sequence)
        elif kind == "skipped":
            first, last = response.skipped.first_sequence, response.skipped.last_sequence
            within = [sequence for sequence in sent if first <= sequence <= last]
            assert response.skipped.frame_count == len(within)
            found += within
    return found


async def test_started_tells_the_terms() -> None:
    async with served(limits=replace(LIMITS, max_in_flight=7)) as wire:
        call = wire.recognition.StreamRecognize()
        await call.write(config())
        started = (await call.read()).started
        await call.done_writing()
        assert await ended(call) == []
    assert started.max_in_flight == 7
    assert started.max_frame_bytes == PICTURE.max_frame_bytes
    assert started.max_pixels == PICTURE.max_pixels
    assert started.model_contract_id == CONTRACT_ID
    assert len(started.resume_token) == 16
    assert started.resume_after_sequence == 0
    assert started.resume_within_ms == 60_000


async def test_a_stream_that_cannot_be_resumed_says_so() -> None:
    class Unkept(MemoryJournal):
        async def open_stream(self, *given: Any) -> Any:
            stream = await super().open_stream(*given)
            stream.token = b""  # as of a storage that fails
            return stream

    async with served(journal=Unkept(Galleries())) as wire:
        call = wire.recognition.StreamRecognize()
        await call.write(config())
        started = (await call.read()).started
        await call.done_writing()
        assert await ended(call) == []
    assert (started.resume_token, started.resume_within_ms) == (b"", 0)


async def test_an_answer_tells_frame_faces_and_times() -> None:
    async with served() as wire:
        call = await opened(wire)
        await call.write(frame(9, captured_at_us=-5))
        result = (await call.read()).frame
        await call.done_writing()
        await ended(call)
    assert (result.sequence, result.captured_at_us, result.status) == (9, -5, OK)
    assert (result.width_px, result.height_px) == (640, 480)
    (face,) = result.faces
    assert face.evidence_sequence == 9
    assert (face.box.x_px, face.box.y_px, face.box.width_px, face.box.height_px) == (
        10.5,
        20.25,
        40.0,
        60.0,
    )
    assert (face.decision.outcome, face.decision.identity_id) == (face_pb2.OUTCOME_KNOWN, "id-1")
    assert result.timings.total_us >= result.timings.queue_us


@pytest.mark.parametrize("policy", [NEWEST_WINS, EVERY_FRAME])
@pytest.mark.parametrize("seed", range(8))
async def test_every_frame_is_accounted_for_once_in_order(policy: int, seed: int) -> None:
    dice = random.Random(seed)
    pictures = [b"good", b"", b"text", b"away", b"x" * (PICTURE.max_frame_bytes + 1)]
    statuses = {b"good": OK, b"away": recognition_pb2.FRAME_STATUS_UNAVAILABLE}
    sent: dict[int, bytes] = {}
    requests: list[Request] = [config(frame_policy=policy)]
    sequence = 0
    for _ in range(300):
        sequence += dice.choice([1, 1, 1, 7])
        sent[sequence] = dice.choice(pictures)
        requests.append(frame(sequence, sent[sequence]))
    async with served() as wire:
        responses = await ended(wire.recognition.StreamRecognize(iter(requests)))
    assert responses[0].WhichOneof("message") == "started"
    assert accounted(responses[1:], list(sent)) == list(sent)
    results = [one.frame for one in responses if one.WhichOneof("message") == "frame"]
    assert results[-1].sequence == sequence, "the last frame always gets a result"
    for result in results:
        assert result.status == statuses.get(sent[result.sequence], INVALID)
        assert bool(result.reason) == bool(result.detail) == (result.status != OK)
        assert len(result.detail.encode()) <= 256
    if policy == EVERY_FRAME:
        assert len(results) == 300


async def test_of_the_frames_that_wait_the_newest_wins() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        call = await opened(wire)
        await call.write(frame(1))
        await recognizer.until(begun=1)
        for sequence in (2, 5, 6, 7, 8, 9):
            await call.write(frame(sequence))
        await call.done_writing()
        await half_closed(wire)
        recognizer.gate.set()
        responses = await ended(call)
    assert [one.WhichOneof("message") for one in responses] == [
        "frame",
        "skipped",
        "skipped",
        "frame",
    ]
    assert responses[0].frame.sequence == 1
    assert responses[3].frame.sequence == 9
    skipped = [
        (
            one.skipped.first_sequence,
            one.skipped.last_sequence,
            one.skipped.frame_count,
            one.skipped.reason,
        )
        for one in responses[1:3]
    ]
    # 2 and 5 were replaced while at most 4 frames were on their way, the others were not.
    assert skipped == [(2, 5, 2, SUPERSEDED), (6, 8, 3, OVER_CREDIT)]


async def half_closed(wire: Wire) -> None:
    """Waits until the only open stream has been read to its end."""
    await until(lambda: wire.streams()[0].is_read_to_end)


async def test_frames_that_are_only_skipped_are_read_at_a_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A skipped frame is accounted for at once, so a client that waits for its credit only would send thousands a second."""
    monkeypatch.setattr(reading, "_SKIPPED_PER_S", 1e-6)
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        call = await opened(wire)
        await call.write(frame(1))
        await recognizer.until(begun=1)
        for sequence in range(2, 11):
            await call.write(frame(sequence))
        await until(lambda: wire.streams()[0].outstanding == 3)
        # Whatever the loop does next, a fourth frame is not read.
        refused = wire.recognition.Recognize(single(b"x"), timeout=0.2)
        assert await refused.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert wire.streams()[0].outstanding == 3
        recognizer.gate.set()
        assert accounted([await call.read() for _ in range(3)], [1, 2, 3]) == [1, 2, 3]
        call.cancel()


async def test_large_frames_that_are_only_skipped_are_read_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_SKIPPED_PER_S", 1e6)
    monkeypatch.setattr(reading, "_SKIPPED_BYTES_PER_S", 0.5)
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        call = await opened(wire)
        await call.write(frame(1))
        await recognizer.until(begun=1)
        for sequence in range(2, 8):
            await call.write(frame(sequence, b""))
        await until(lambda: wire.streams()[0].outstanding == 7)
        for sequence in (8, 9):
            await call.write(frame(sequence, b"x" * 1000))
        await until(lambda: wire.streams()[0].outstanding == 8)
        refused = wire.recognition.Recognize(single(b"x"), timeout=0.2)
        assert await refused.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert wire.streams()[0].outstanding == 8
        call.cancel()


async def test_every_frame_stops_reading_at_the_credit() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        call = await opened(wire, frame_policy=EVERY_FRAME)
        for sequence in range(1, 11):
            await call.write(frame(sequence))
        await recognizer.until(begun=1)
        await until(lambda: wire.streams()[0].outstanding == 4)
        # Whatever the loop does next, a fifth frame is not read.
        assert (
            await wire.recognition.Recognize(
                recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=b"x")), timeout=0.2
            ).code()
            is grpc.StatusCode.DEADLINE_EXCEEDED
        )
        assert wire.streams()[0].outstanding == 4
        recognizer.gate.set()
        await call.done_writing()
        responses = await ended(call)
    assert [one.frame.sequence for one in responses] == list(range(1, 11))
    assert {one.frame.status for one in responses} == {OK}


async def test_frames_of_one_stream_are_worked_on_one_at_a_time_in_order() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer, slots=WorkSlots(4)) as wire:
        call = await opened(wire, frame_policy=EVERY_FRAME)
        recognizer.gate.clear()
        for sequence in (1, 2, 3):
            await call.write(frame(sequence, b"%d" % sequence))
        await call.done_writing()
        await half_closed(wire)
        await recognizer.until(begun=1)
        assert wire.slots.statistics().in_use == 1
        recognizer.gate.set()
        assert [one.frame.sequence for one in await ended(call)] == [1, 2, 3]
        assert recognizer.most_at_once == 1
        assert [picture.data for picture, *_ in recognizer.calls] == [b"1", b"2", b"3"]


async def test_a_picture_that_takes_too_long_is_timed_out_and_the_stream_goes_on() -> None:
    async with served(slots=WorkSlots(2, picture_timeout_s=1)) as wire:
        call = await opened(wire)
        await call.write(frame(1, b"hang"))
        result = (await call.read()).frame
        assert result.status == recognition_pb2.FRAME_STATUS_TIMED_OUT
        assert result.reason == face_pb2.ERROR_REASON_TIMED_OUT
        await call.write(frame(2))
        assert (await call.read()).frame.status == OK
        await call.done_writing()
        await ended(call)


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [frame(1)],
        [Request()],
        [config(), config()],
        [config(), Request()],
        [config(), frame(0)],
        [config(), frame(3), frame(3)],
        [config(), frame(3), frame(2)],
    ],
    ids=["empty", "frame", "nothing", "twice", "gap", "zero", "same", "back"],
)
async def test_a_message_out_of_order_ends_the_stream(requests: list[Request]) -> None:
    async with served() as wire:
        code, reason = await failed(wire.recognition.StreamRecognize(iter(requests)))
        assert len(wire.servicer.streams) == 0
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "OUT_OF_ORDER")


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({"gallery_id": "nobody"}, grpc.StatusCode.NOT_FOUND, "GALLERY_NOT_FOUND"),
        ({"gallery_id": "foreign"}, grpc.StatusCode.FAILED_PRECONDITION, "CONTRACT_MISMATCH"),
        ({"gallery_id": "No"}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"max_candidates": 21}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"rotation_degrees": 45}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"rotation_degrees": 360}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"search_interval_ms": 60_001}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
    ],
)
async def test_a_config_that_cannot_be_served_ends_the_stream(
    fields: dict[str, object], code: grpc.StatusCode, reason: str
) -> None:
    async with served() as wire:
        assert await failed(wire.recognition.StreamRecognize(iter([config(**fields)]))) == (
            code,
            reason,
        )


async def test_a_gallery_that_goes_away_ends_the_stream() -> None:
    async with served() as wire:
        call = await opened(wire)
        await call.write(frame(1, b"lost"))
        assert await failed(call) == (grpc.StatusCode.NOT_FOUND, "GALLERY_NOT_FOUND")


async def test_a_bug_ends_the_stream_and_tells_nothing() -> None:
    async with served() as wire:
        call = await opened(wire)
        await call.write(frame(1, b"crash"))
        assert await failed(call) == (grpc.StatusCode.INTERNAL, "INTERNAL")
        assert "Alice" not in await call.details()


async def test_a_message_over_the_transport_limit_is_not_taken_for_a_half_close() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        call = await opened(wire)
        await call.write(frame(1))
        await call.write(frame(2))
        await recognizer.until(begun=1)
        await call.write(frame(3, b"x" * (PICTURE.max_frame_bytes + (2 << 20))))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ended(call)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        # The work in hand was cancelled, and frame 2, the last one, was never begun.
        await recognizer.until(cancelled=1)
        assert len(recognizer.calls) == 1
        assert len(wire.servicer.streams) == 0


async def test_a_client_that_goes_away_cancels_the_work_and_frees_its_place() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer, limits=replace(LIMITS, max_streams=1)) as wire:
        call = await opened(wire)
        await call.write(frame(1))
        await recognizer.until(begun=1)
        second = wire.recognition.StreamRecognize(iter([config()]))
        assert await failed(second) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
        call.cancel()
        await recognizer.until(cancelled=1)
        recognizer.gate.set()
        third = await opened(wire)
        await third.write(frame(1))
        await third.done_writing()
        assert len(await ended(third)) == 1


async def test_a_deadline_cancels_the_work() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        call = wire.recognition.StreamRecognize(timeout=0.3)
        await call.write(config())
        await call.write(frame(1))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ended(call)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await recognizer.until(cancelled=1)


async def test_a_client_that_does_not_read_is_stopped_and_then_ended() -> None:
    """Answers fill the transport's buffers, then 64 wait, then nothing more is read."""
    limits = replace(LIMITS, max_in_flight=10_000, slow_reader_timeout_s=0.3)
    recognizer = FakeRecognizer()
    small_window = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16_384))
    async with served(recognizer, limits=limits, channel_options=small_window) as wire:
        call = await opened(wire, frame_policy=EVERY_FRAME)
        most_waiting = 0

        async def watch() -> None:
            nonlocal most_waiting
            while True:
                await asyncio.sleep(0)
                most_waiting = max([most_waiting, *(one.unsent for one in wire.streams())])

        watcher = asyncio.ensure_future(watch())
        for sequence in range(
            1, 1501
        ):  # as many as the transport takes from a server that reads nothing
            await call.write(frame(sequence, b"text" + b"x" * 500))
        # The client hears of the end only when it reads, so the server's side is looked at.
        await until(lambda: not wire.servicer.streams)
        watcher.cancel()
        assert await failed(call) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SLOW_READER")
    assert 64 <= most_waiting <= 64 + 1
    assert len(recognizer.calls) < 1500, "the server stopped reading while the client wrote on"


async def test_a_client_that_does_not_read_is_ended_whatever_its_credit() -> None:
    limits = replace(LIMITS, max_in_flight=4, slow_reader_timeout_s=0.3)
    small_window = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16_384))
    async with served(FakeRecognizer(), limits=limits, channel_options=small_window) as wire:
        call = await opened(wire, frame_policy=EVERY_FRAME)

        async def write_on() -> None:
            for sequence in range(1, 100_000):
                await call.write(frame(sequence, b"text" + b"x" * 500))

        writing = asyncio.ensure_future(write_on())
        # The client hears of the end only when it reads, so the server's side is looked at.
        await until(lambda: not wire.servicer.streams)
        assert not writing.done(), "the client wrote on until the server ended the stream"
        writing.cancel()


async def test_a_stream_that_says_nothing_does_not_keep_its_place() -> None:
    async with served(FakeRecognizer(), limits=replace(LIMITS, config_timeout_s=0.1)) as wire:
        call = wire.recognition.StreamRecognize()
        assert await failed(call) == (grpc.StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT")
        assert not wire.servicer.streams


async def test_a_flooding_camera_does_not_starve_another() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(
        recognizer, slots=WorkSlots(1), limits=replace(LIMITS, max_in_flight=50)
    ) as wire:
        flood = await opened(wire, frame_policy=EVERY_FRAME)
        for sequence in range(1, 41):
            await flood.write(frame(sequence, b"flood"))
        await recognizer.until(begun=1)
        calm = await opened(wire, camera_id="calm")
        await calm.write(frame(1, b"calm"))
        await until(lambda: any(one.camera_id == "calm" and one.waiting for one in wire.streams()))
        recognizer.gate.set()
        assert (await calm.read()).frame.status == OK
        order = [picture.data for picture, *_ in recognizer.calls]
        assert order.index(b"calm") <= 3, "at most one in work and two asked before it"
        for call in (flood, calm):
            await call.done_writing()
            await ended(call)


async def test_a_single_picture_waits_its_turn_among_streams() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer, slots=WorkSlots(1)) as wire:
        stream = await opened(wire)
        await stream.write(frame(1))
        await recognizer.until(begun=1)
        other = asyncio.ensure_future(wire.recognition.Recognize(single(b"good")))
        await stream.write(frame(2))
        await stream.done_writing()
        await half_closed(wire)
        assert recognizer.at_once == 1
        recognizer.gate.set()
        assert (await other).timings.queue_us > 0
        assert recognizer.most_at_once == 1
        assert len(await ended(stream)) == 2


async def test_a_frame_that_no_turn_comes_for_is_answered_in_its_time() -> None:
    recognizer, slots = FakeRecognizer(), WorkSlots(1, picture_timeout_s=1)
    async with served(recognizer, slots=slots) as wire:
        call = await opened(wire, frame_policy=EVERY_FRAME)
        async with slots.slot():
            for sequence in (1, 2, 3):
                await call.write(frame(sequence))
            results = [(await call.read()).frame for _ in range(3)]
        assert [one.sequence for one in results] == [1, 2, 3]
        assert {one.status for one in results} == {recognition_pb2.FRAME_STATUS_TIMED_OUT}
        assert not recognizer.calls
        await call.write(frame(4))
        assert (await call.read()).frame.status == OK
        await call.done_writing()
        await ended(call)


async def test_the_newest_frame_is_chosen_when_the_turn_comes() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer, slots=WorkSlots(1)) as wire:
        other = asyncio.ensure_future(wire.recognition.Recognize(single(b"other")))
        await recognizer.until(begun=1)
        call = await opened(wire)
        for sequence in (1, 2, 3):
            await call.write(frame(sequence))
        await call.done_writing()
        await half_closed(wire)
        recognizer.gate.set()
        *skipped, result = await ended(call)
        assert accounted(skipped, [1, 2, 3]) == [1, 2]
        assert {one.skipped.reason for one in skipped} == {SUPERSEDED}
        assert result.frame.sequence == 3
        await other


@pytest.mark.timeout(20)
async def test_a_stream_that_is_answered_ends_while_others_are_worked_on() -> None:
    """A worker without a frame takes no slot, and the stream waits neither for one nor for the pictures of others."""
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer, slots=WorkSlots(2, picture_timeout_s=60)) as wire:
        call = await opened(wire)
        await call.write(frame(1))
        await recognizer.until(begun=1)
        await call.write(frame(2))
        await call.done_writing()
        await half_closed(wire)
        other = asyncio.ensure_future(wire.recognition.Recognize(single(b"hang")))
        await recognizer.until(begun=2)
        recognizer.gate.set()
        assert [one.frame.sequence for one in await ended(call)] == [1, 2]
        assert not other.done()
        other.cancel()


@pytest.mark.parametrize(
    ("size_px", "min_face_px", "longest_side_px"),
    [((1920, 1080), 0, 0), ((3840, 2160), 0, 3186), ((3840, 2160), 100, 0)],
)
async def test_a_camera_that_is_too_fast_gets_advice(
    monkeypatch: pytest.MonkeyPatch,
    size_px: tuple[int, int],
    min_face_px: int,
    longest_side_px: int,
) -> None:
    monkeypatch.setattr(pace, "_WINDOW_S", 1e9)
    recognizer = FakeRecognizer()
    recognizer.size_px = size_px
    recognizer.gate.clear()
    async with served(recognizer) as wire:
        detection = face_pb2.DetectionOptions(min_face_px=min_face_px)
        call = await opened(wire, detection=detection)
        await call.write(frame(1))
        await recognizer.until(begun=1)
        for sequence in (2, 3, 4):
            await call.write(frame(sequence))
        await until(lambda: wire.streams()[0].outstanding == 4)
        recognizer.gate.set()
        before = [await call.read() for _ in range(3)]
        assert accounted(before, [1, 2, 3, 4]) == [1, 2, 3, 4]
        monkeypatch.setattr(pace, "_WINDOW_S", 0.0)  # the window is over
        await call.write(frame(5))
        # The sender may look at the window before the frame or after it.
        after = {one.WhichOneof("message"): one for one in [await call.read(), await call.read()]}
        assert after["frame"].frame.sequence == 5
        given = after["advice"].advice
        assert given.target_fps > 0
        assert given.longest_side_px == longest_side_px
        await call.done_writing()
        assert await ended(call) == []


async def test_a_stream_that_sends_nothing_gives_its_place_to_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_GIVES_WAY_AFTER_S", 0.0)
    async with served(limits=replace(LIMITS, max_streams=1)) as wire:
        idle = await opened(wire)
        busy = await opened(wire)
        goodbye = await idle.read()
        assert goodbye.reconnect.reason == recognition_pb2.RECONNECT_REASON_IDLE
        assert await idle.read() is EOF
        assert await idle.code() is grpc.StatusCode.OK
        await busy.write(frame(1))
        await busy.done_writing()
        (answer,) = await ended(busy)
        assert answer.frame.status == OK
