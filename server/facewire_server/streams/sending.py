"""Sends what a stream has found: events, and the outcome of each frame, in order."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from facewire_server.streams.frame_work import FrameWork
from facewire_server.streams.ledger import Ledger
from facewire_server.streams.outbox import Outbox
from facewire_server.streams.pace import PaceRule
from facewire_server.streams.tally import Settled, Tally
from facewire_server.streams.values import Advice, Answered, Arrival, Skipped, StreamOutput
from facewire_server.types import Recognition, Timings
from facewire_server.work.condition import Condition

__all__ = ["Send", "send_all"]

Send: TypeAlias = Callable[[StreamOutput], Awaitable[None]]
"""Sends one value to the client; waits while the client does not read."""


async def send_all(
    ledger: Ledger[Arrival, Settled],
    outbox: Outbox,
    changed: Condition,
    tally: Tally,
    frame_work: FrameWork,
    send: Send,
    *,
    is_over: Callable[[], bool],
    events_only: bool,
) -> None:
    """Sends until every frame is accounted for and no further one comes.

    Args:
        ledger, outbox: of the stream.
        changed: notified at every change of the two.
        tally: counts what is sent.
        frame_work: knows the size of frames that is advised.
        send: sends one value.
        is_over: whether no further frame comes.
        events_only: frames are answered without faces and timings.
    """
    pace = PaceRule(time.perf_counter())
    while True:
        await changed.until(
            lambda: ledger.has_next or outbox.has_events or (is_over() and not ledger.outstanding)
        )
        entry = ledger.take()
        # What is set aside is younger than what the frames of the ledger take along, also if skipped ones are before these.
        set_aside = outbox.take() if entry is None else ()
        for event in entry.events if isinstance(entry, Settled) else set_aside:
            await send(event)
        if entry is None:
            if is_over() and not ledger.outstanding:
                return
            continue
        value = tally.account(entry)
        pace.count(value)
        outbox.account(value.sequence if isinstance(value, Answered) else value.last_sequence)
        changed.notify()
        await send(_brief(value) if events_only else value)
        if (target_fps := pace.due(time.perf_counter())) is not None:
            await send(Advice(target_fps, frame_work.useful_side_px))


def _brief(value: Answered | Skipped) -> Answered | Skipped:
    """Returns an answer without faces and timings."""
    if not isinstance(value, Answered) or not isinstance(value.result, Recognition):
        return value
    return replace(value, result=replace(value.result, faces=(), timings=Timings()))
