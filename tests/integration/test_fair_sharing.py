"""No camera and no caller takes the work, the pixels or the memory of the others. With real models, counts only."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import grpc
import numpy as np
import pytest

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots
from fakes.recognizer import FakeRecognizer
from fakes.wire import LIMITS, PICTURE, config, frame, reason_and_fields, served, until
from harness.load import Load
from harness.running import RunningServer, running_server
from harness.shares import Counted, jain_index
from harness.streaming import OneInFlight

EVERY_FRAME = recognition_pb2.FRAME_POLICY_EVERY_FRAME
PATIENCE_S = 100.0


def jpeg(width_px: int, height_px: int) -> bytes:
    small = np.random.default_rng(0).integers(0, 256, (9, 16, 3), np.uint8)
    scene = cv2.resize(small, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", scene)[1].tobytes()


FRAME = jpeg(640, 360)


def total(parties: list[Counted]) -> int:
    return sum(len(one.answers) for one in parties)


def wait_until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.fixture(scope="module")
def loaded(models):
    with running_server(threads=2) as server:
        yield server


def test_a_camera_beside_large_photos_has_more_answers_than_they(loaded: RunningServer) -> None:
    """With turns by number it has a quarter of theirs. How much more depends on the machine: 2 to 5 times theirs."""
    with Load(loaded) as load:
        photos = [load.caller(jpeg(8000, 6000)) for _ in range(4)]
        wait_until(lambda: total(photos) >= 1)
        before = total(photos)
        with loaded.channel() as channel, OneInFlight(channel) as camera:
            answers = 0
            while total(photos) < before + 4:
                assert not camera.send(FRAME).reason
                answers += 1
    assert answers > 4


def test_a_camera_beside_40_callers_has_its_share(loaded: RunningServer) -> None:
    with Load(loaded) as load:
        camera = load.stream(FRAME)
        callers = [load.caller(FRAME) for _ in range(40)]
        wait_until(lambda: total(callers) >= 5)
        before = len(camera.answers), total(callers)
        wait_until(lambda: len(camera.answers) + total(callers) >= sum(before) + 60)
        share = (len(camera.answers) - before[0]) / 60
    assert share >= 0.2, "with turns by number it has 1 of 41"
    assert total(callers) > before[1], "callers have a share, too"


def test_flooding_does_not_pay(loaded: RunningServer) -> None:
    """Counted once all of them have answers, with frames whose work is long beside the way to the client and back.

    Turns are shared by seconds of work, so on a busy machine a frame whose thread lost its processor costs its stream some turns:
    the shares of the others are compared by Jain's index, which is 5/6 where one of six has none.
    """
    large = jpeg(1920, 1080)
    with Load(loaded) as load:
        streams = [load.stream(large, in_flight=1) for _ in range(6)]
        streams += [load.stream(large, in_flight=0) for _ in range(3)]
        wait_until(lambda: all(one.answers for one in streams))
        before = [len(one.answers) for one in streams]
        wait_until(lambda: total(streams) >= sum(before) + 270)
        had = [len(one.answers) - count for one, count in zip(streams, before, strict=True)]
    normal, flooding = had[:6], had[6:]
    assert sum(flooding) / 3 <= 1.5 * sum(normal) / 6
    assert jain_index(normal) > 0.85


def test_a_frame_has_at_most_the_pixels_of_a_stream(loaded: RunningServer) -> None:
    with loaded.channel() as channel, OneInFlight(channel) as camera:
        assert camera.started.max_pixels == 4096 * 3072
        large, largest = jpeg(4097, 3072), jpeg(4096, 3072)
        refused = camera.send(large)
        assert refused.status == recognition_pb2.FRAME_STATUS_INVALID
        assert refused.reason == face_pb2.ERROR_REASON_IMAGE_TOO_MANY_PIXELS
        assert not camera.send(largest).reason
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        assert stub.Recognize(recognition_pb2.RecognizeRequest(image={"data": large})).width_px
        limits = stub.GetServerInfo(recognition_pb2.GetServerInfoRequest()).limits
        assert limits.max_stream_pixels == 4096 * 3072


async def test_what_an_ended_stream_has_had_is_charged_to_the_address_of_its_client() -> None:
    slots = WorkSlots(2)
    async with served(slots=slots) as wire:
        call = wire.recognition.StreamRecognize()
        await call.write(config())
        await call.read()
        await call.write(frame(1))
        await call.read()
        await call.done_writing()
        await until(lambda: not wire.streams())
        with slots.stream("ipv4:127.0.0.1") as same, slots.stream("ipv4:10.0.0.1") as other:
            assert same.virtual_s > other.virtual_s == 0


async def test_a_stream_stops_reading_while_the_bytes_are_used_up() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    data, most = b"x" * 600, ByteBudget(1000)
    async with served(recognizer, slots=WorkSlots(1), frame_bytes=most) as wire:
        calls = []
        for _ in range(2):
            call = wire.recognition.StreamRecognize()
            await call.write(config(frame_policy=EVERY_FRAME))
            await call.read()
            calls.append(call)
        for sequence in (1, 2, 3, 4):
            await calls[0].write(frame(sequence, data))
        await until(lambda: most.statistics().held_bytes == 1200)
        await calls[1].write(frame(1, data))  # has less than its share: it is read
        await until(lambda: most.statistics().held_bytes == 1800)
        assert sorted(one.outstanding for one in wire.streams()) == [1, 2]
        recognizer.gate.set()
        for call in calls:
            await call.done_writing()
        for call, count in zip(calls, (4, 1), strict=True):
            results = [(await call.read()).frame for _ in range(count)]
            assert [one.sequence for one in results] == list(range(1, count + 1))
        await until(lambda: not wire.streams())
        assert most.statistics().held_bytes == 0


async def test_what_a_stream_holds_is_free_again_however_it_ends() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    most = ByteBudget(1000)
    async with served(recognizer, slots=WorkSlots(1), frame_bytes=most) as wire:
        call = wire.recognition.StreamRecognize()
        await call.write(config())
        await call.read()
        for sequence in (1, 2, 3):
            await call.write(frame(sequence, b"x" * 100))
        await until(lambda: any(one.outstanding == 3 for one in wire.streams()))
        assert most.statistics().held_bytes == 200, "a superseded frame is not held"
        call.cancel()
        await until(lambda: not wire.streams())
        assert most.statistics().held_bytes == 0


async def test_calls_beyond_their_bytes_are_refused_and_small_ones_are_not() -> None:
    recognizer = FakeRecognizer(1 << 18)
    recognizer.gate.clear()
    limits = replace(LIMITS, picture=replace(PICTURE, max_frame_bytes=1 << 18))
    large = recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=b"x" * 100_000))
    small = recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=b"x"))
    slots = WorkSlots(4)
    async with served(
        recognizer, limits=limits, slots=slots, call_bytes=ByteBudget(150_000)
    ) as wire:
        first = asyncio.ensure_future(wire.recognition.Recognize(large))
        await recognizer.until(begun=1)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await wire.recognition.Recognize(large)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_and_fields(refused.value)[0] == "TOO_MANY_CALLS"
        second = asyncio.ensure_future(wire.recognition.Recognize(small))
        await recognizer.until(begun=2)
        recognizer.gate.set()
        await asyncio.gather(first, second)
        await wire.recognition.Recognize(large)
