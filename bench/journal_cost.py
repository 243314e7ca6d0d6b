"""The cost of the journal: processor time of what frames and events write, bytes of an event, and a deletion.

Everything runs in this process, on an LMDB gallery of two hundred people; processor time is that of all its threads. No model runs.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import numpy as np

from bench.report import Report, parser, run
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_journal import open_journal
from facewire_server.events import Event
from facewire_server.types import (
    Candidate,
    Decision,
    Outcome,
    TrackEvent,
    TrackReason,
    TrackState,
)

__all__: list[str] = []

_PEOPLE: Final = 200
_EVENTS: Final = 100_000
_BATCH: Final = 50
_FRAMES: Final = 20_000
_SAVES: Final = 1000

FRAME_AIM_US: Final = 5.0
"""Most microseconds that the accounting of a frame may take: a frame takes tens of milliseconds."""


def main() -> int:
    flags = parser("journal_cost", __doc__)
    flags.add_argument("--events", type=int, default=_EVENTS, help="that are recorded")
    arguments = flags.parse_args()
    report = Report("journal_cost", arguments)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), arguments.events, report))
    return report.finish()


def _fail_on(event: Event) -> None:
    raise AssertionError(event)


async def _measure(folder: Path, count: int, report: Report) -> None:
    gallery = LmdbGallery(
        folder / "gallery", vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=128
    )
    for number in range(_PEOPLE):
        await gallery.create_identity("default", f"person {number}", "")
    journal, _ = open_journal(
        folder / "journal",
        gallery,
        keep_count=count,
        keep_s=86_400.0,
        keeps_crops=False,
        emit=_fail_on,
    )
    await journal.maintain()
    stream = await journal.open_stream("door", "default")
    lines: list[tuple[str, float]] = []

    async def timed(name: str, times: int, step: Callable[[], Awaitable[object]]) -> None:
        before_s = time.process_time()
        await step()
        lines.append((name, (time.process_time() - before_s) / times * 1e6))

    async def account() -> None:
        for sequence in range(1, _FRAMES + 1):
            stream.account(sequence)

    async def give_ids() -> None:
        for _ in range(2000):
            journal.new_track_id()

    async def record_one_by_one() -> None:
        for number in range(_SAVES):
            await stream.record([_event(number)])

    async def record_many() -> None:
        for start in range(_SAVES, count, _BATCH):
            await stream.record([_event(number) for number in range(start, start + _BATCH)])

    async def save() -> None:
        for number in range(_SAVES):
            await stream.save({1: [float(number)] * 16})

    async def watch() -> None:
        _, events = await journal.watch(1, kept_only=True)
        assert len([one async for one in events]) >= count - 2 * _BATCH

    async def maintain() -> None:
        for _ in range(_SAVES):
            await journal.maintain()

    await timed("account for a frame", _FRAMES, account)
    await timed("an id for a track", 2000, give_ids)
    await timed("record an event by itself", _SAVES, record_one_by_one)
    await timed(f"record an event, {_BATCH} together", count - _SAVES, record_many)
    await stream.record([_event(0)])
    await timed("save the numbers of an open track", _SAVES, save)
    await timed("an event for a watcher", count, watch)
    await timed("a round of upkeep", _SAVES, maintain)
    size = (await journal.statistics()).file_bytes
    await gallery.delete_identity("default", "person 7")
    await timed("forget one of the people", 1, journal.maintain)
    report.table("processor time", ("what", "µs"), lines)
    report.note(f"{size / count:.0f} bytes an event in the file, {count} events")
    report.values |= {"us": dict(lines), "bytes_per_event": size / count}
    accounting_us = lines[0][1]
    report.aim(
        f"account for a frame ≤ {FRAME_AIM_US:g} µs",
        f"{accounting_us:.2f} µs",
        met=accounting_us <= FRAME_AIM_US,
    )
    journal.close()
    gallery.close()


def _event(number: int) -> TrackEvent:
    track_id = number // 3 + 1
    state = (TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.ENDED)[number % 3]
    person = f"person {int(np.random.default_rng(track_id).integers(_PEOPLE))}"
    best = Candidate(person, person, 0.75, "ab" * 16)
    pending = Decision(Outcome.PENDING, None, 0.0, 0.5, 7)
    decision = Decision(Outcome.KNOWN, best, 0.25, 0.5, 7, look_count=3)
    return TrackEvent(
        camera_id="front door",
        gallery_id="default",
        track_id=track_id,
        visit_id=track_id,
        state=state,
        reason=TrackReason.EVIDENCE,
        decision=pending if state is TrackState.TENTATIVE else decision,
        first_sequence=number,
        last_sequence=number + 9,
        first_seen_us=1_800_000_000_000_000,
        last_seen_us=1_800_000_001_000_000,
        server_time_us=1_800_000_002_000_000,
    )


if __name__ == "__main__":
    run(main)
