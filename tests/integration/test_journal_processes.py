"""Several processes on one journal: no event is lost or out of order, and whoever is killed has answered no frame twice."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from facewire_server.errors import StreamTakenOver
from facewire_server.streams.journal import Feed
from facewire_server.types import TrackReason, TrackState
from fakes.python import PATHS
from fakes.tracks import track_event
from integration.journal_worker import Worker

WORKER = Path(__file__).with_name("journal_worker.py")


class Process:
    """A worker, and the pipe to it."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": PATHS},
        )

    def say(self, *call: Any) -> None:
        print(json.dumps(call), file=self.process.stdin, flush=True)

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the worker has ended"
        return json.loads(line)

    def ask(self, *call: Any) -> Any:
        self.say(*call)
        return self.hear()

    def kill(self) -> list[Any]:
        """Kills it; returns what it had still said."""
        assert self.process.stdout is not None
        self.process.kill()
        output = "" if self.process.stdout.closed else self.process.stdout.read()
        self.process.communicate(timeout=30)
        return [json.loads(line) for line in output.split("\n")[:-1]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    processes: list[Process] = []

    def started() -> Process:
        process = Process(tmp_path)
        processes.append(process)
        assert process.hear() == "ready"
        return process

    yield started
    for process in processes:
        process.kill()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(tmp_path)
    yield worker
    worker.close()


async def received(feed: Feed, count: int) -> list[Any]:
    """The next events of a feed."""
    found: list[Any] = []
    async with asyncio.timeout(60), aclosing(feed.events):
        async for one in feed.events:
            found.append(one.event)
            if len(found) == count:
                break
    return found


async def test_watchers_of_one_process_receive_the_events_of_all_in_order(
    here: Worker, start: Callable[[], Process]
) -> None:
    feed = await here.journal.watch(0)
    workers = {f"camera {number}": start() for number in range(3)}
    for camera, worker in workers.items():
        worker.ask("open", camera)
        worker.say("record_many", camera, 150)
    await here.open("camera here")
    own = asyncio.create_task(here.record_many("camera here", 150))
    events = await received(feed, 600)
    recorded = {camera: worker.hear() for camera, worker in workers.items()}
    recorded["camera here"] = await own
    ids = [event.event_id for event in events]
    assert ids == sorted(set(ids))
    for camera, expected in recorded.items():
        assert [one.event_id for one in events if one.camera_id == camera] == expected


async def test_two_processes_give_no_id_twice(here: Worker, start: Callable[[], Process]) -> None:
    other = start()
    other.say("track_ids", 10_000)
    own = await here.track_ids(10_000)
    assert len({*own, *other.hear()}) == 20_000


async def test_what_was_accounted_for_and_recorded_survives_a_kill(
    here: Worker, start: Callable[[], Process]
) -> None:
    killed = start()
    token, _, _ = killed.ask("open", "door")
    event_id = killed.ask("record", "door", 7)
    killed.ask("save", "door", 7, [0.5, -2.0])
    killed.say("account_forever", "door")
    said = [killed.hear() for _ in range(500)] + killed.kill()
    token_again, accounted, tracks = await here.open("door", token)
    assert token_again == token
    # The one that is accounted for is said after: of one frame more the result may have been lost, none is worked on twice.
    assert said[-1] <= accounted <= said[-1] + 1
    assert tracks == [[7, [0.5, -2.0]]]
    feed = await here.journal.watch(1, kept_only=True)
    assert [one.event_id for one in await received(feed, 1)] == [event_id]


async def test_events_that_were_recorded_before_a_kill_are_kept(
    here: Worker, start: Callable[[], Process]
) -> None:
    killed = start()
    killed.ask("open", "door")
    killed.say("record_forever", "door")
    said = [killed.hear() for _ in range(100)] + killed.kill()
    feed = await here.journal.watch(1, kept_only=True)
    kept = [one.event_id for one in await received(feed, 10_000)]
    assert kept[: len(said)] == said
    assert len(kept) <= len(said) + 1


async def test_a_stream_learns_that_another_process_took_it_over(
    here: Worker, start: Callable[[], Process]
) -> None:
    other = start()
    token, _, _ = await here.open("door")
    stream = here.streams["door"]
    stream.account(41)
    assert other.ask("open", "door", token)[1] == 41
    with pytest.raises(StreamTakenOver):
        stream.account(42)
    with pytest.raises(StreamTakenOver):
        await stream.record([track_event(1)])
    await here.journal.maintain()
    with pytest.raises(StreamTakenOver):
        await asyncio.wait_for(stream.taken_over(), 30)
    assert other.ask("account", "door", 43) == ""
    assert (await here.open("door", token))[1] == 43  # and back
    assert other.ask("account", "door", 44) == "StreamTakenOver"


async def test_the_tracks_of_a_killed_process_are_ended(
    here: Worker, start: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = start()
    killed.ask("open", "door")
    killed.ask("record", "door", 7)
    killed.kill()
    await here.open("yard")
    await here.record("yard", 8)
    clock = here.journal._storage.now_us
    monkeypatch.setattr(here.journal._storage, "now_us", lambda: clock() + 61_000_000)
    for _ in range(3):
        await here.journal.maintain()
    feed = await here.journal.watch(1, kept_only=True)
    *_, ended = await received(feed, 3)
    assert (ended.track_id, ended.state) == (7, TrackState.ENDED)
    assert ended.reason is TrackReason.STREAM_ENDED
    here.streams["yard"].account(1)  # goes on


async def test_a_stream_whose_process_stood_still_was_forgotten_and_not_taken_over(
    here: Worker, start: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So its camera opens a new one. Who is taken over must not: two cameras would take it from each other."""
    asleep = start()
    token, _, _ = asleep.ask("open", "door")
    asleep.ask("record", "door", 7)
    clock = here.journal._storage.now_us
    with monkeypatch.context() as later:
        later.setattr(here.journal._storage, "now_us", lambda: clock() + 61_000_000)
        for _ in range(3):
            await here.journal.maintain()
    assert asleep.ask("account", "door", 1) == "StreamForgotten"
    again = asleep.ask("open", "door", token)
    assert (again[0] != token, again[1:]) == (True, [0, []])
    assert asleep.ask("account", "door", 1) == ""


@pytest.mark.parametrize("leap_s", [3600, -3600])
async def test_a_clock_that_leaps_ends_no_stream_of_another_process(
    here: Worker, start: Callable[[], Process], monkeypatch: pytest.MonkeyPatch, leap_s: int
) -> None:
    """Nor does a machine that wakes: for a moment no other process has kept that its streams are open."""
    other = start()
    other.ask("open", "door")
    other.ask("maintain")
    clock = here.journal._storage.now_us
    with monkeypatch.context() as leapt:
        # The other clock stays: as if its process had not had a round since the leap.
        leapt.setattr(here.journal._storage, "now_us", lambda: clock() + leap_s * 1_000_000)
        await here.journal.maintain()
        await here.open("yard")
    other.ask("maintain")
    await here.journal.maintain()
    assert other.ask("account", "door", 1) == ""


async def test_who_is_deleted_by_another_process_is_not_sent(
    here: Worker, start: Callable[[], Process]
) -> None:
    for person in ("Anna", "Ben"):
        await here.gallery.create_identity("default", person, "")
    other = start()
    other.ask("open", "door")
    for number in range(10):
        other.ask("record", "door", number + 1, ("Anna", "Ben")[number % 2])
    feed = await here.journal.watch(1, kept_only=True)
    first = await anext(feed.events)
    assert first.event.decision.identity.identity_id == "Anna"
    other.ask("delete", "Anna")
    assert [one.track_id for one in await received(feed, 10)] == [2, 4, 6, 8, 10]
    await here.journal.maintain()
    assert (await here.journal.statistics()).events == 5


async def test_a_new_process_works_beside_one_that_was_killed_while_it_wrote(
    here: Worker, start: Callable[[], Process]
) -> None:
    for _ in range(5):
        killed = start()
        killed.ask("open", "door")
        killed.say("record_forever", "door")
        for _ in range(20):
            killed.hear()
        killed.kill()
        await here.open("yard")
        await here.record("yard", 8)
    other = start()
    other.ask("open", "gate")
    assert other.ask("record", "gate", 1)
