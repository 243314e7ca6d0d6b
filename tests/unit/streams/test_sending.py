"""Events reach the client once, in the order in which they were recorded, whatever happens around them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import TimedOut
from facewire_server.streams.frame_work import FrameWork
from facewire_server.streams.journal import JournaledStream
from facewire_server.streams.ledger import Ledger
from facewire_server.streams.outbox import Outbox
from facewire_server.streams.sending import send_all
from facewire_server.streams.tally import Settled, Tally, settled
from facewire_server.streams.values import Arrival, Frame, Skipped, StreamOutput, StreamPlan
from facewire_server.types import Picture, TrackEvent, TrackState
from facewire_server.work.condition import Condition
from fakes.recognizer import FakeCamera, FakeRecognizer
from fakes.tracks import track_event
from fakes.wire import DEFAULTS, Galleries

PLAN = StreamPlan("default", True, DEFAULTS.decision, DEFAULTS.stream, "door")


class Held:
    """A journaled stream that records when the test lets it.

    Attributes:
        begun: set when something is to be recorded.
        go_on: to be set by the test.
    """

    def __init__(self, stream: JournaledStream) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self._stream = stream

    async def record(self, events: Sequence[TrackEvent]) -> tuple[TrackEvent, ...]:
        self.begun.set()
        await self.go_on.wait()
        return await self._stream.record(events)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


async def test_events_keep_their_order_before_and_after_a_frame_that_was_skipped() -> None:
    recognizer, journal = FakeRecognizer(), MemoryJournal(Galleries())
    camera = FakeCamera(recognizer, PLAN, journal.new_track_id)
    stream = await journal.open_stream("door", "default")
    tally = Tally()
    outbox = Outbox(camera, journal, stream, tally)
    ledger: Ledger[Arrival, Settled] = Ledger(max_in_flight=8, let_go=lambda arrival: None)
    for sequence in (1, 2):
        ledger.admit(sequence, Arrival(Frame(sequence, 0, Picture(b"good")), 0.0))
    ledger.skip_superseded()
    entry = ledger.begin()
    assert entry is not None
    assert entry.frame is not None
    recognizer.events.append(track_event(7, state=TrackState.TENTATIVE))
    await camera.refresh(is_idle=False)
    await outbox.record()
    ledger.settle(entry, settled(entry.frame, TimedOut("late"))._replace(events=outbox.take()))
    recognizer.events.append(track_event(7, state=TrackState.CONFIRMED))  # after the frame
    await camera.refresh(is_idle=True)
    await outbox.record()
    sent: list[StreamOutput] = []

    async def send(value: StreamOutput) -> None:
        sent.append(value)

    frame_work = FrameWork(camera, PLAN, picture_timeout_s=1.0)
    await send_all(
        ledger,
        outbox,
        Condition(),
        tally,
        frame_work,
        send,
        is_over=lambda: True,
        events_only=False,
    )
    assert isinstance(sent[0], Skipped)
    states = [one.state for one in sent if isinstance(one, TrackEvent)]
    assert states == [TrackState.TENTATIVE, TrackState.CONFIRMED]


async def test_events_whose_recorder_is_cancelled_are_sent_before_those_that_follow() -> None:
    recognizer, journal = FakeRecognizer(), MemoryJournal(Galleries())
    camera = FakeCamera(recognizer, PLAN, journal.new_track_id)
    held: Any = Held(await journal.open_stream("door", "default"))
    outbox = Outbox(camera, journal, held, Tally())
    recognizer.events.append(track_event(7, state=TrackState.CONFIRMED))
    await camera.refresh(is_idle=True)
    refreshing = asyncio.create_task(outbox.record())
    await held.begun.wait()
    refreshing.cancel()
    await asyncio.wait([refreshing])
    ending = asyncio.create_task(outbox.end())
    held.go_on.set()
    await ending
    assert [event.state for event in outbox.take()] == [TrackState.CONFIRMED, TrackState.ENDED]
