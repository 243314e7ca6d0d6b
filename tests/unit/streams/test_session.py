"""What a stream promises at its edges: before its plan, while it starts, when it is cancelled."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import ShuttingDown, TimedOut
from facewire_server.streams import pace
from facewire_server.streams.journal import Journal, JournaledStream, OpenTrack
from facewire_server.streams.sending import Send
from facewire_server.streams.session import Session
from facewire_server.streams.tally import SessionStatistics
from facewire_server.streams.values import (
    Advice,
    Answered,
    Frame,
    Reconnect,
    ReconnectReason,
    Skipped,
    Started,
    StreamInput,
    StreamOutput,
    StreamPlan,
)
from facewire_server.types import Picture, Recognition, TrackEvent
from facewire_server.work.cancellation import cancel_at_next_wait
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots
from fakes.recognizer import FakeCamera, FakeRecognizer
from fakes.tracks import track_event
from fakes.wire import DEFAULTS, LIMITS, MOST_BYTES, Galleries

PLAN = StreamPlan("default", True, DEFAULTS.decision, DEFAULTS.stream, "door")


class Stream:
    """A session, the inputs that a test puts in, and the outputs that came."""

    def __init__(
        self,
        recognizer: FakeRecognizer,
        slots: WorkSlots,
        camera: type[FakeCamera] = FakeCamera,
        journal: Journal | None = None,
        refresh_s: float = LIMITS.refresh_s,
    ) -> None:
        self.inputs: asyncio.Queue[StreamInput | None] = asyncio.Queue()
        self.outputs: asyncio.Queue[StreamOutput] = asyncio.Queue()
        self.session = Session(
            partial(camera, recognizer),
            journal or MemoryJournal(Galleries()),
            self._exists,
            slots,
            ByteBudget(MOST_BYTES),
            limits=replace(LIMITS, refresh_s=refresh_s),
        )

    def run(self, send: Send | None = None) -> "asyncio.Task[None]":
        return asyncio.create_task(self.session.run(self._inputs(), send or self.outputs.put))

    def put(self, *inputs: StreamInput | None) -> None:
        for one in inputs:
            self.inputs.put_nowait(one)

    async def _exists(self, gallery_id: str) -> None:
        pass

    async def _inputs(self) -> AsyncIterator[StreamInput]:
        while (one := await self.inputs.get()) is not None:
            yield one


def frame(sequence: int, data: bytes = b"good") -> Frame:
    return Frame(sequence, 0, Picture(data))


async def test_before_its_plan_a_stream_has_no_camera_and_no_frames() -> None:
    stream = Stream(FakeRecognizer(), WorkSlots(1))
    assert stream.session.statistics() == SessionStatistics("", False, 0, 0, 0, 0, 0)


async def test_the_time_that_a_frame_waited_is_part_of_its_whole_time() -> None:
    slots = WorkSlots(1)
    stream = Stream(FakeRecognizer(), slots)
    running = stream.run()
    async with slots.slot():
        put_at_s = time.perf_counter()
        stream.put(PLAN, frame(1))
        while not stream.session.statistics().waiting:
            await asyncio.sleep(0)
        seen_at_s = time.perf_counter()
        await asyncio.to_thread(threading.Event().wait, 0.02)
        held_s = time.perf_counter() - seen_at_s
    stream.put(None)
    await running
    assert isinstance(await stream.outputs.get(), Started)
    answer = await stream.outputs.get()
    assert isinstance(answer, Answered)
    assert isinstance(answer.result, Recognition)
    timings = answer.result.timings
    assert held_s <= timings.queue_s <= timings.total_s <= time.perf_counter() - put_at_s
    assert stream.session.statistics().median_s == timings.total_s


async def test_advice_without_a_recognition_leaves_the_size_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "_WINDOW_S", 1e9)
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    stream = Stream(recognizer, WorkSlots(1))
    running = stream.run()
    stream.put(PLAN, frame(1, b"text"))
    await recognizer.until(begun=1)
    stream.put(frame(2, b"text"), frame(3, b"text"))
    while stream.session.statistics().outstanding < 3:
        await asyncio.sleep(0)
    recognizer.gate.set()
    kinds = [type(await stream.outputs.get()) for _ in range(4)]
    assert kinds == [Started, Answered, Skipped, Answered]
    monkeypatch.setattr(pace, "_WINDOW_S", 0.0)  # the window is over
    stream.put(frame(4, b"text"), None)
    await running
    assert isinstance(stream.outputs.get_nowait(), Answered)
    advice = stream.outputs.get_nowait()
    assert isinstance(advice, Advice)
    assert advice.target_fps > 0
    assert advice.longest_side_px == 0


async def test_each_frame_has_a_deadline_of_its_own_however_long_the_stream_lasts() -> None:
    timeout_s = 0.2
    slots = WorkSlots(1, picture_timeout_s=timeout_s)
    stream = Stream(FakeRecognizer(), slots)
    running = stream.run()
    async with slots.slot():
        stream.put(PLAN, frame(1))
        while not stream.session.statistics().waiting:
            await asyncio.sleep(0)
    assert isinstance(await stream.outputs.get(), Started)
    assert isinstance(await stream.outputs.get(), Answered)
    await asyncio.sleep(2 * timeout_s)  # its deadline passes, and nothing must come of it
    assert stream.outputs.empty()
    async with slots.slot():
        stream.put(frame(2))
        answer = await stream.outputs.get()
    assert isinstance(answer, Answered)
    assert (answer.sequence, type(answer.result)) == (2, TimedOut)
    stream.put(None)
    await running


async def test_a_drain_while_the_stream_starts_ends_it_with_a_goodbye() -> None:
    stream, starting, go_on = (
        Stream(FakeRecognizer(), WorkSlots(1)),
        asyncio.Event(),
        asyncio.Event(),
    )
    sent: list[StreamOutput] = []

    async def send(value: StreamOutput) -> None:
        starting.set()
        await go_on.wait()
        sent.append(value)

    running = stream.run(send)
    stream.put(PLAN)
    await starting.wait()
    stream.session.drain()
    go_on.set()
    async with asyncio.timeout(30):
        await running
    assert isinstance(sent[0], Started)
    assert sent[1:] == [Reconnect(LIMITS.reconnect_after_ms)]


async def test_a_stream_is_idle_while_no_frame_of_it_is_read_or_waits_for_its_answer() -> None:
    recognizer = FakeRecognizer()
    stream = Stream(recognizer, WorkSlots(1))
    running = stream.run()
    assert stream.session.idle_s == 0, "it is not open yet"
    stream.put(PLAN)
    assert isinstance(await stream.outputs.get(), Started)
    since_opening_s = stream.session.idle_s
    assert since_opening_s > 0
    recognizer.gate.clear()
    stream.put(frame(1))
    while not stream.session.statistics().outstanding:
        await asyncio.sleep(0)
    assert stream.session.idle_s == 0
    recognizer.gate.set()
    assert isinstance(await stream.outputs.get(), Answered)
    assert stream.session.idle_s > 0
    stream.session.drain(ReconnectReason.IDLE)
    assert (stream.session.idle_s, stream.session.has_given_way) == (0, True)
    async with asyncio.timeout(30):
        await running
    assert await stream.outputs.get() == Reconnect(LIMITS.reconnect_after_ms, ReconnectReason.IDLE)


async def test_a_stream_can_move_from_its_start_until_someone_ends_it() -> None:
    stream = Stream(FakeRecognizer(), WorkSlots(1))
    running = stream.run()
    await asyncio.sleep(0)
    assert not stream.session.can_move, "its client has no token yet"
    stream.put(PLAN)
    assert isinstance(await stream.outputs.get(), Started)
    await asyncio.sleep(0)
    assert stream.session.can_move
    stream.session.drain(ReconnectReason.REBALANCE)
    assert (stream.session.can_move, stream.session.has_given_way) == (False, True)
    async with asyncio.timeout(30):
        await running
    assert await stream.outputs.get() == Reconnect(0, ReconnectReason.REBALANCE)


async def test_a_stream_that_its_client_has_half_closed_cannot_move() -> None:
    stream = Stream(FakeRecognizer(), WorkSlots(1))
    running = stream.run()
    stream.put(PLAN, None)
    async with asyncio.timeout(30):
        await running
    assert not stream.session.can_move


async def test_a_stream_that_cannot_be_resumed_cannot_move(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = MemoryJournal(Galleries())
    opened = journal.open_stream

    async def without_token(*arguments: Any) -> Any:
        stream: Any = await opened(*arguments)
        stream.token = b""
        return stream

    monkeypatch.setattr(journal, "open_stream", without_token)
    stream = Stream(FakeRecognizer(), WorkSlots(1), journal=journal)
    running = stream.run()
    stream.put(PLAN)
    assert isinstance(await stream.outputs.get(), Started)
    await asyncio.sleep(0)
    assert not stream.session.can_move
    stream.put(None)
    async with asyncio.timeout(30):
        await running


async def test_a_drain_before_the_plan_says_that_the_server_stops() -> None:
    stream = Stream(FakeRecognizer(), WorkSlots(1))
    running = stream.run()
    await asyncio.sleep(0)
    stream.session.drain()
    with pytest.raises(ShuttingDown):
        await running


async def test_a_caller_that_goes_away_during_a_drain_is_cancelled_not_answered() -> None:
    stream = Stream(FakeRecognizer(), WorkSlots(1))
    running = stream.run()
    await asyncio.sleep(0)
    stream.session.drain()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


class Placed(FakeCamera):
    """One whose tracks have a place, so that it is saved after each event."""

    def numbers(self) -> dict[int, tuple[float, ...]]:
        return {7: (1.0,)}


class Writing:
    """A journaled stream whose writes are waited for once they have begun, as those of LMDB are."""

    def __init__(self, stream: JournaledStream) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self._stream = stream

    async def save(self, numbers: Mapping[int, Sequence[float]]) -> None:
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            await self.go_on.wait()
            cancel_at_next_wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


async def test_a_client_that_goes_away_during_a_write_of_the_journal_ends_its_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recognizer, journal = FakeRecognizer(), MemoryJournal(Galleries())
    writing = Writing(await journal.open_stream("door", "default"))
    stream = Stream(recognizer, WorkSlots(1), Placed, journal)

    async def open_stream(*_: object) -> Any:
        return writing

    monkeypatch.setattr(journal, "open_stream", open_stream)
    running = stream.run()
    recognizer.events.append(track_event(7))
    stream.put(PLAN, frame(1))
    await writing.begun.wait()
    running.cancel()
    await asyncio.sleep(0)
    writing.go_on.set()
    await asyncio.wait([running], timeout=5)
    assert running.done()
    assert len(asyncio.all_tasks()) == 1


async def test_the_slot_of_a_frame_is_free_while_the_journal_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recognizer, journal, slots = FakeRecognizer(), MemoryJournal(Galleries()), WorkSlots(1)
    writing = Writing(await journal.open_stream("door", "default"))
    stream = Stream(recognizer, slots, Placed, journal)

    async def open_stream(*_: object) -> Any:
        return writing

    monkeypatch.setattr(journal, "open_stream", open_stream)
    running = stream.run()
    recognizer.events.append(track_event(7))
    stream.put(PLAN, frame(1), None)
    await writing.begun.wait()
    meanwhile = slots.statistics().in_use, stream.session.statistics().outstanding
    writing.go_on.set()
    await running
    assert meanwhile == (0, 1), "its answer waits, and no slot does"
    kinds = [type(stream.outputs.get_nowait()) for _ in range(3)]
    assert kinds == [Started, TrackEvent, Answered]


class Refreshing(FakeCamera):
    """One whose refresh lasts until the test ends it."""

    begun, go_on = asyncio.Event(), asyncio.Event()

    async def refresh(self, *, is_idle: bool) -> None:
        self.begun.set()
        await self.go_on.wait()


async def test_a_frame_that_waits_for_its_camera_holds_no_slot() -> None:
    slots = WorkSlots(1)
    Refreshing.begun, Refreshing.go_on = asyncio.Event(), asyncio.Event()
    stream = Stream(FakeRecognizer(), slots, Refreshing, refresh_s=0.0)
    running = stream.run()
    stream.put(PLAN)
    await Refreshing.begun.wait()
    stream.put(frame(1))
    while not stream.session.statistics().waiting:
        await asyncio.sleep(0)
    for _ in range(5):  # the worker has had its turn
        await asyncio.sleep(0)
    assert (slots.statistics().in_use, stream.session.statistics().waiting) == (0, 1)
    Refreshing.go_on.set()
    stream.put(None)
    await running


class Unrestorable(FakeCamera):
    """One that cannot go on with what the journal has."""

    def restore(self, tracks: Sequence[OpenTrack]) -> None:
        raise ValueError("no such state")


async def test_a_stream_whose_camera_cannot_be_restored_has_broken_off() -> None:
    journal = MemoryJournal(Galleries(), resume_within_s=0.0)
    stream = Stream(FakeRecognizer(), WorkSlots(1), Unrestorable, journal)
    stream.put(PLAN)
    with pytest.raises(ValueError, match="no such state"):
        await stream.run()
    await journal.maintain()
    assert (await journal.statistics()).streams == 0, "an open one would be kept for ever"


async def test_a_client_that_cannot_be_written_to_ends_the_stream_and_its_work() -> None:
    recognizer = FakeRecognizer()
    stream = Stream(recognizer, WorkSlots(2))

    async def send(value: StreamOutput) -> None:
        if isinstance(value, Answered):
            raise ConnectionResetError

    running = stream.run(send)
    stream.put(replace(PLAN, newest_wins=False), frame(1, b"text"), frame(2, b"hang"))
    with pytest.raises(ConnectionResetError):
        await running
    assert recognizer.at_once == 0
    assert len(asyncio.all_tasks()) == 1
