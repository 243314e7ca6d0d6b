"""Bounds the pictures in work at once, and shares the turns fairly among streams and calls.

Start-time fair queueing (Goyal, Vin, Cheng 1996, "Start-time Fair Queueing: A Scheduling Algorithm for Integrated Services
Packet Switching Networks"), with the seconds spent on a picture (`spent`) as its length, which is known at its end only:

* Each stream is a flow, and all calls together are one. A flow has a virtual time: the seconds of work that
  it has had, divided by its weight. A free slot goes to the flow with the least; within a flow, first in, first out.
* The virtual time of the server is that of the latest turn's flow, at its start. A flow that comes, or comes back, starts
  there: it neither pays for the past nor has saved up credit.
* What a stream has had beyond that when it ends is charged to the next stream of its client (`Debts`).
* A turn is paid in advance with the mean of the flow's latest pictures, and settled when it ends.

So among flows that always wait, those with costly pictures get as much work done as the others, in fewer turns. A flow
that does not wait leaves its share to the others. A turn cannot be taken back, so some slots are kept
for frames of usual cost: calls, and streams whose pictures take several times those of the cheapest stream or are not known
yet, never hold the last ones, and such a stream holds one slot at a time.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from facewire_server.work.breadth import working
from facewire_server.work.cost import LEAST_S, costly_from_s, mean_after
from facewire_server.work.deadline import time_limit
from facewire_server.work.debts import Debts
from facewire_server.work.spent import spending

__all__ = ["Flow", "Slot", "SlotStatistics", "WorkSlots"]

_CALLS_SHARE: Final = 0.25
"""Share of the work that all calls get together while frames wait, and of the slots, at least one, while frames are in work;
the streams share the rest. Chosen, not measured: an enrollment goes on beside any number of cameras, and no number of
callers takes most of the turns."""

_KEPT_SHARE: Final = 0.25
"""Share of the slots that are kept for frames of usual cost, at least one slot. Chosen, not measured: there is one slot more
than processors, so without the kept one all processors still have work."""

_LATEST: Final = 1 / 4
_ALL_LATEST: Final = 1 / 32
"""Weight of the newest picture in the mean of a flow, and in that of all streams. Chosen, not measured."""


@dataclass(slots=True, eq=False)
class Flow:
    """One party of the queue: a stream, or all calls.

    Attributes:
        is_stream: whether it is a stream.
        virtual_s: seconds of work so far, by weight; where its next turn starts.
        picture_s: mean seconds spent on its latest pictures (`mean_after`); None before the first.
        in_work: slots that it holds.
        waiting: its tasks that wait for a slot, oldest first.
    """

    is_stream: bool = True
    virtual_s: float = 0.0
    picture_s: float | None = None
    in_work: int = 0
    waiting: "deque[asyncio.Future[Slot]]" = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class Slot:
    """The right to work on one picture.

    Attributes:
        waited_s: seconds from asking for the slot to getting it.
        weight: of its flow at that time.
        paid_s: seconds paid in advance.
        is_kept_out: whether it counts against the slots that are kept for usual frames.
    """

    waited_s: float = 0.0
    weight: float = 1.0
    paid_s: float = 0.0
    is_kept_out: bool = False


@dataclass(frozen=True, slots=True)
class SlotStatistics:
    """The use of the slots at one moment.

    Attributes:
        count: all slots.
        in_use: slots held.
        waiting_streams: streams that wait for a slot.
        waiting_calls: pictures of calls that wait for a slot.
    """

    count: int
    in_use: int
    waiting_streams: int
    waiting_calls: int


class WorkSlots:
    """Bounds the pictures in work and the time of each. One picture holds one slot, in a stream as in a call.

    Attributes:
        picture_timeout_s: seconds from a picture's arrival to its answer.
    """

    def __init__(self, count: int, *, picture_timeout_s: float = 10.0) -> None:
        """Starts with `count` free slots."""
        self.picture_timeout_s = picture_timeout_s
        self._count = count
        self._kept = max(1, int(count * _KEPT_SHARE)) if count > 1 else 0
        self._calls = Flow(is_stream=False)
        self._streams: set[Flow] = set()
        self._active: dict[Flow, None] = {}  # those that wait or work, in the order of their coming
        self._virtual_s = 0.0
        self._debts = Debts()
        self._mean_s = 0.0
        self._in_use = 0
        self._in_use_kept_out = 0

    @contextmanager
    def stream(self, client: str) -> Iterator[Flow]:
        """Returns the flow of a stream of `client` for the block, in which all its turns begin and end."""
        flow = Flow(virtual_s=self._debts.of(client))
        self._streams.add(flow)
        try:
            yield flow
        finally:
            self._streams.remove(flow)
            self._debts.leave(client, flow.virtual_s, now_s=self._virtual_s)

    @asynccontextmanager
    async def slot(self, flow: Flow | None = None) -> AsyncIterator[Slot]:
        """Waits for the turn of a stream, or of a call (None), and holds the slot for the block."""
        flow = flow or self._calls
        slot = await self._granted(flow)
        # Frames are to take little of the processors, and need not be early: others follow them.
        with spending() as spent, working(lambda: not flow.is_stream and self._in_use == 1):
            try:
                yield slot
            finally:
                self._release(flow, slot, spent.total_s)

    @asynccontextmanager
    async def picture(self) -> AsyncIterator[Slot]:
        """Waits for the turn of a call, and holds the slot for the block; both take at most `picture_timeout_s`.

        Raises:
            TimedOut: they took longer.
        """
        async with time_limit(self.picture_timeout_s), self.slot() as slot:
            yield slot

    def statistics(self) -> SlotStatistics:
        """Returns the use of the slots now."""
        streams = sum(flow.is_stream and bool(flow.waiting) for flow in self._active)
        return SlotStatistics(self._count, self._in_use, streams, len(self._calls.waiting))

    async def _granted(self, flow: Flow) -> Slot:
        asked_at_s = time.perf_counter()
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        if not flow.waiting:
            flow.virtual_s = max(flow.virtual_s, self._virtual_s)
        flow.waiting.append(turn)
        self._active[flow] = None
        self._grant()
        try:
            slot = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # granted, and cancelled before it was taken
                self._release(flow, turn.result(), 0.0)
            else:
                with suppress(ValueError):  # `_grant` has dropped it
                    flow.waiting.remove(turn)
                self._forget_idle(flow)
            raise
        slot.waited_s = time.perf_counter() - asked_at_s
        return slot

    def _grant(self) -> None:
        """Grants the free slots to the flows whose turn it is."""
        while self._in_use < self._count:
            costly_s = costly_from_s(flow.picture_s for flow in self._streams)
            ready = (flow for flow in self._active if self._may_begin(flow, costly_s))
            flow = min(ready, key=lambda one: one.virtual_s, default=None)
            if flow is None:
                return
            turn = flow.waiting.popleft()
            if turn.done():  # its task was cancelled a moment ago
                continue
            self._virtual_s = max(self._virtual_s, flow.virtual_s)
            turn.set_result(self._begin(flow, is_kept_out=_is_kept_out(flow, costly_s)))

    def _may_begin(self, flow: Flow, costly_s: float | None) -> bool:
        if not flow.waiting:
            return False
        if not _is_kept_out(flow, costly_s):
            return True
        if flow.in_work >= (1 if flow.is_stream else self._most_of_calls()):
            return False
        return self._in_use_kept_out < self._count - self._kept

    def _most_of_calls(self) -> int:
        """Returns the most slots that calls may hold: their share while a stream waits or works, else all."""
        is_alone = not any(flow.is_stream for flow in self._active)
        return self._count if is_alone else max(1, int(self._count * _CALLS_SHARE))

    def _begin(self, flow: Flow, *, is_kept_out: bool) -> Slot:
        paid_s = self._mean_s if flow.picture_s is None else flow.picture_s
        slot = Slot(weight=self._weight(flow), paid_s=paid_s, is_kept_out=is_kept_out)
        flow.virtual_s += paid_s / slot.weight
        flow.in_work += 1
        self._in_use += 1
        self._in_use_kept_out += slot.is_kept_out
        return slot

    def _weight(self, flow: Flow) -> float:
        if flow.is_stream:
            return 1.0
        streams = sum(one.is_stream for one in self._active)
        return max(1, streams) * _CALLS_SHARE / (1 - _CALLS_SHARE)

    def _release(self, flow: Flow, slot: Slot, spent_s: float) -> None:
        flow.virtual_s += (max(LEAST_S, spent_s) - slot.paid_s) / slot.weight
        flow.picture_s = mean_after(flow.picture_s, spent_s, _LATEST, by_seconds=True)
        if flow.is_stream:
            self._mean_s = mean_after(self._mean_s or None, spent_s, _ALL_LATEST) or 0.0
        flow.in_work -= 1
        self._in_use -= 1
        self._in_use_kept_out -= slot.is_kept_out
        self._forget_idle(flow)
        self._grant()

    def _forget_idle(self, flow: Flow) -> None:
        if not flow.waiting and not flow.in_work:
            self._active.pop(flow, None)


def _is_kept_out(flow: Flow, costly_s: float | None) -> bool:
    """Whether the flow must leave some slots to usual frames."""
    if not flow.is_stream:
        return True
    if costly_s is None:  # there is nothing to compare with
        return False
    return flow.picture_s is None or flow.picture_s > costly_s
