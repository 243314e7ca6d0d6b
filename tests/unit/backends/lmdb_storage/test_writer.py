"""A write waits a bounded time; until it has begun it can be withdrawn, and then nothing of it is ever written."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_storage import writer
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.writer import Writer
from facewire_server.errors import StorageBusy
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from fakes.write_lock import held_write_lock

CONTRACT = "c" * 64
AXES = np.eye(4, dtype=np.float32)


def opened(path: Path, write_wait_s: float) -> LmdbGallery:
    return LmdbGallery(
        path,
        vector_search=ExactSearch(),
        model_contract_id=CONTRACT,
        dimension=4,
        write_wait_s=write_wait_s,
    )


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[LmdbGallery]:
    gallery = opened(tmp_path, 0.2)
    yield gallery
    gallery.close()


async def enroll(gallery: LmdbGallery, number: int) -> None:
    identity = NewIdentity(f"{number}", create=True)
    result = EnrollmentResult(f"{number:032x}")
    await gallery.enroll("default", identity, [result], AXES[number : number + 1])


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


async def ids(gallery: LmdbGallery) -> list[str]:
    return [one.identity_id for one in await gallery.list_identities("default", "", 10)]


async def test_a_write_that_cannot_begin_is_refused_in_time_and_never_written_later(
    gallery: LmdbGallery, tmp_path: Path
) -> None:
    await enroll(gallery, 0)
    with held_write_lock(tmp_path):
        refusals = await asyncio.gather(
            *(enroll(gallery, number) for number in (1, 2, 3)), return_exceptions=True
        )
        assert [type(one) for one in refusals] == [StorageBusy] * 3
        assert "nothing was written" in str(refusals[0])
        # Reading and searching wait for no write.
        (best, *_) = (await gallery.search("default", AXES, 1)).candidates
        assert best[0].identity_id == "0"
        await until(lambda: gallery.is_write_blocked)
    await until(lambda: not gallery.is_write_blocked)
    await gallery.create_identity("default", "later", "")  # the thread has passed all of them
    assert await ids(gallery) == ["0", "later"]


async def test_a_caller_that_goes_away_before_its_write_begins_has_written_nothing(
    tmp_path: Path,
) -> None:
    gallery = opened(tmp_path, 30.0)
    with held_write_lock(tmp_path):
        writes = [asyncio.create_task(enroll(gallery, number)) for number in (1, 2)]
        await asyncio.sleep(0)
        for one in writes:
            one.cancel()  # what gRPC does at a client's deadline
        await asyncio.wait(writes, timeout=20)
        assert all(one.cancelled() for one in writes)
    await gallery.create_identity("default", "later", "")
    assert await ids(gallery) == ["later"]
    gallery.close()


async def test_writes_beyond_the_queue_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_MOST_WAITING", 2)
    gallery = opened(tmp_path, 30.0)
    with held_write_lock(tmp_path):
        at_hand = asyncio.create_task(enroll(gallery, 0))
        await until(lambda: gallery._threads._writer._busy_since_s is not None)
        waiting: list[asyncio.Task[Any]] = [
            asyncio.create_task(enroll(gallery, number)) for number in (1, 2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(StorageBusy, match="too many"):
            await enroll(gallery, 3)
        # One that is withdrawn makes room.
        waiting[0].cancel()
        await asyncio.wait(waiting[:1])
        waiting.append(asyncio.create_task(gallery.create_identity("default", "made room", "")))
        await asyncio.sleep(0)
    await asyncio.gather(at_hand, *waiting[1:])
    assert await ids(gallery) == ["0", "2", "made room"]
    gallery.close()


async def test_a_gallery_is_closed_although_its_writer_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_CLOSE_WAIT_S", 0.1)
    gallery = opened(tmp_path, 0.1)
    with held_write_lock(tmp_path):
        with pytest.raises(StorageBusy):
            await enroll(gallery, 1)
        gallery.close()
    # The environment stays open until the thread is through; a process opens a file of LMDB only once.
    await until(lambda: not gallery._threads._writer._thread.is_alive())
    gallery.close()


class GrowingEnvironment(Environment):
    """An environment whose map must grow at the first attempt, and whose second one waits."""

    def __init__(self) -> None:
        self.waits, self.release = threading.Event(), threading.Event()
        self.attempts = 0
        self.name = "a storage"

    def write(
        self, change: Any, *, beyond_quota: bool = False, aborted: Callable[[], None] = lambda: None
    ) -> Any:
        change(Transaction(None, {}))  # type: ignore[arg-type]  # the change looks at none of it
        aborted()
        self.waits.set()
        assert self.release.wait(20)
        return change(Transaction(None, {}))  # type: ignore[arg-type]


async def test_a_write_that_is_put_back_for_a_larger_map_can_be_withdrawn_again() -> None:
    environment = GrowingEnvironment()
    one = Writer(environment, wait_s=0.1)
    made: list[str] = []
    with pytest.raises(StorageBusy):
        await one.write(lambda _: made.append("attempt"))
    assert environment.waits.is_set()
    environment.release.set()
    assert one.close()
    assert made == ["attempt"]


class Held:
    """A change that waits in its transaction."""

    def __init__(self) -> None:
        self.begun, self.release = threading.Event(), threading.Event()
        self.count = 0

    def __call__(self, _: Transaction) -> str:
        self.count += 1
        self.begun.set()
        assert self.release.wait(20)
        return "written"


async def test_the_outcome_of_a_write_that_has_begun_is_awaited_whatever_its_caller_does(
    tmp_path: Path,
) -> None:
    gallery = opened(tmp_path, 0.1)
    held = Held()
    outcomes: list[str] = []

    async def call() -> None:
        outcomes.append(await gallery._threads.write(held))
        outcomes.append("goes on")
        await asyncio.sleep(0)
        outcomes.append("goes on after a wait")

    write = asyncio.create_task(call())
    await asyncio.to_thread(held.begun.wait)
    for _ in range(3):
        write.cancel()
        await asyncio.sleep(0)
    await until(lambda: gallery.is_write_blocked)  # longer than a write may wait
    assert not write.done()
    held.release.set()
    await asyncio.wait([write], timeout=20)
    assert write.cancelled()
    assert outcomes == ["written", "goes on"]
    gallery.close()


async def test_whoever_writes_again_and_again_ends_after_the_write_in_which_it_was_cancelled(
    tmp_path: Path,
) -> None:
    gallery = opened(tmp_path, 20.0)
    held = Held()

    async def upkeep() -> None:
        while True:
            await gallery._threads.write(held)

    task = asyncio.create_task(upkeep())
    await asyncio.to_thread(held.begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    held.release.set()
    done, _ = await asyncio.wait([task], timeout=20)
    assert done
    assert task.cancelled()
    assert held.count == 1
    gallery.close()


async def test_a_failure_of_a_write_is_known_to_a_caller_that_was_cancelled_during_it(
    tmp_path: Path,
) -> None:
    gallery = opened(tmp_path, 20.0)
    held = Held()
    failures: list[BaseException] = []

    def failing(transaction: Transaction) -> None:
        held(transaction)
        raise KeyError("of the change")

    async def call() -> None:
        try:
            await gallery._threads.write(failing)
        except KeyError as error:
            failures.append(error)
        await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await asyncio.to_thread(held.begun.wait)
    task.cancel()
    await asyncio.sleep(0)
    held.release.set()
    await asyncio.wait([task], timeout=20)
    assert task.cancelled()
    assert [type(error) for error in failures] == [KeyError]
    gallery.close()
