"""Every frame of a stream leaves its events: read, then accounted for or skipped."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import EmptyImage, OutOfMemory, TimedOut, UndecodableImage
from facewire_server.events import (
    Event,
    FrameAccounted,
    FrameDamaged,
    FrameLookedAt,
    FrameRead,
    FramesSkipped,
)
from facewire_server.streams.session import Session
from facewire_server.streams.tally import Tally, settled
from facewire_server.streams.values import Arrival, Frame, StreamInput, StreamOutput, StreamPlan
from facewire_server.types import (
    DecisionPolicy,
    DetectionOptions,
    Picture,
    PictureLimits,
    Recognition,
)
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots
from fakes.limits import serving_limits
from fakes.recognizer import FakeCamera, FakeRecognizer
from fakes.wire import MOST_BYTES, Galleries

LIMITS = serving_limits(PictureLimits(max_frame_bytes=1 << 16, max_pixels=1 << 20))
DETECTION = DetectionOptions(min_score=0.9, max_faces=1, short_side_fraction=1 / 16)
POLICY = DecisionPolicy(threshold=0.5, min_margin=0.0, min_inter_eye_px=1.0)


async def exists(gallery_id: str) -> None:
    """Every gallery does."""


async def drop(value: StreamOutput) -> None:
    """Takes what a client would read."""


def a_session(recognizer: FakeRecognizer, slots: WorkSlots, events: list[Event]) -> Session:
    return Session(
        partial(FakeCamera, recognizer),
        MemoryJournal(Galleries()),
        exists,
        slots,
        ByteBudget(MOST_BYTES),
        limits=LIMITS,
        emit=events.append,
    )


def plan(*, newest_wins: bool) -> StreamPlan:
    return StreamPlan("default", newest_wins, POLICY, DETECTION, "door/1")


async def test_answered_frames_by_what_became_of_them() -> None:
    events: list[Event] = []

    async def inputs() -> AsyncIterator[StreamInput]:
        yield plan(newest_wins=False)
        yield Frame(1, 0, Picture(b"good"))
        yield Frame(2, 0, Picture(b"text!"))
        yield Frame(3, 0, EmptyImage("the picture has no bytes"))

    slots = WorkSlots(1)
    session = a_session(FakeRecognizer(), slots, events)
    await session.run(inputs(), drop)
    read = [event for event in events if isinstance(event, FrameRead)]
    assert read == [FrameRead("door/1", 4), FrameRead("door/1", 5), FrameRead("door/1", 0)]
    accounted = [event for event in events if isinstance(event, FrameAccounted)]
    assert [event.error for event in accounted] == [None, UndecodableImage, EmptyImage]
    assert all(event.camera_id == "door/1" and event.latency_s > 0 for event in accounted)
    looks = [event for event in events if isinstance(event, FrameLookedAt)]
    assert looks == [FrameLookedAt("door/1", "SEARCHED", face_count=1, embedded_count=0)]
    assert len([event for event in events if not isinstance(event, FrameDamaged)]) == 7


async def test_a_frame_without_memory_does_not_end_its_stream() -> None:
    events: list[Event] = []

    async def inputs() -> AsyncIterator[StreamInput]:
        yield plan(newest_wins=False)
        yield Frame(1, 0, Picture(b"full"))
        yield Frame(2, 0, Picture(b"good"))

    slots = WorkSlots(1)
    session = a_session(FakeRecognizer(), slots, events)
    await session.run(inputs(), drop)
    accounted = [event for event in events if isinstance(event, FrameAccounted)]
    assert [event.error for event in accounted] == [OutOfMemory, None]


async def test_a_cameras_damage_is_told_once() -> None:
    events: list[Event] = []

    async def inputs() -> AsyncIterator[StreamInput]:
        yield plan(newest_wins=False)
        yield Frame(1, 0, Picture(b"good"))
        yield Frame(2, 0, EmptyImage("the picture has no bytes"))
        for sequence in range(3, 8):
            yield Frame(sequence, 0, Picture(b"text"))

    slots = WorkSlots(1)
    session = a_session(FakeRecognizer(), slots, events)
    await session.run(inputs(), drop)
    (damaged,) = [event for event in events if isinstance(event, FrameDamaged)]
    assert (damaged.camera_id, damaged.is_read) == ("door/1", False)
    assert damaged.detail.startswith("not a picture")


def test_a_damage_that_is_read_nevertheless_is_told_too() -> None:
    events: list[Event] = []
    tally = Tally(events.append)
    tally.camera_id = "door/1"
    for remark in ("", "the JPEG picture lacks its end", "another"):
        result = Recognition((), 8, 8, 1, remark=remark)
        tally.account(settled(Arrival(Frame(1, 0, Picture(b"x")), 0.0), result))
    damaged = [event for event in events if isinstance(event, FrameDamaged)]
    assert damaged == [FrameDamaged("door/1", "the JPEG picture lacks its end", is_read=True)]


async def test_a_frame_that_timed_out_took_its_time() -> None:
    events: list[Event] = []

    async def inputs() -> AsyncIterator[StreamInput]:
        yield plan(newest_wins=False)
        yield Frame(1, 0, Picture(b"hang"))

    slots = WorkSlots(1, picture_timeout_s=0.05)
    session = a_session(FakeRecognizer(), slots, events)
    await session.run(inputs(), drop)
    _, accounted = events
    assert isinstance(accounted, FrameAccounted)
    assert accounted.error is TimedOut
    assert accounted.latency_s >= 0.05


async def test_skipped_frames_are_counted_by_reason() -> None:
    events: list[Event] = []
    recognizer, all_read = FakeRecognizer(), asyncio.Event()
    recognizer.gate.clear()

    async def inputs() -> AsyncIterator[StreamInput]:
        yield plan(newest_wins=True)
        yield Frame(1, 0, Picture(b"good"))
        await recognizer.until(begun=1)
        for sequence in (2, 3, 4):
            yield Frame(sequence, 0, Picture(b"good"))
        all_read.set()

    session = a_session(recognizer, WorkSlots(1), events)
    running = asyncio.create_task(session.run(inputs(), drop))
    await all_read.wait()
    recognizer.gate.set()
    await running
    assert [event for event in events if isinstance(event, FramesSkipped)] == [
        FramesSkipped("door/1", "SUPERSEDED", 2)
    ]
    assert sum(isinstance(event, FrameAccounted) for event in events) == 2
    assert sum(isinstance(event, FrameRead) for event in events) == 4
