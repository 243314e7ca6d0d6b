"""The generation switch: nothing that was written is lost by it, and nothing that was deleted before is left in a file."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage import erasing
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.erasing import NotErased
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.errors import GalleryFull, StorageBusy
from facewire_server.host.disk import sync_path
from fakes.python import PATHS

MIB = 1 << 20
GONE = b"the one who was deleted " * 40


@contextmanager
def opened(
    path: Path, map_bytes: int = 4 * MIB, max_bytes: int = 64 * MIB
) -> Iterator[Environment]:
    environment = Environment(path, GALLERY_STORAGE, map_bytes=map_bytes, max_bytes=max_bytes)
    try:
        yield environment
    finally:
        environment.close()


def put(environment: Environment, key: str, value: bytes = b"value") -> None:
    environment.write(lambda transaction: transaction.table("blocks").put(key.encode(), value))


def delete(environment: Environment, key: str) -> None:
    environment.write(lambda transaction: transaction.table("blocks").delete(key.encode()))


def contents(environment: Environment) -> dict[str, bytes]:
    with environment.read() as transaction:
        return {key.decode(): value for key, value in transaction.table("blocks").scan()}


def traces(folder: Path) -> list[str]:
    """Names of the files that hold who was deleted, read by another process: closing a file drops LMDB's locks on it."""
    done = subprocess.run(
        ["grep", "-rlaF", GONE.decode(), folder], capture_output=True, text=True, check=False
    )
    return sorted(Path(line).name for line in done.stdout.splitlines())


def data_files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"facewire.lock", "switch.lock", "reserve"}


def with_a_deletion(environment: Environment) -> None:
    put(environment, "kept")
    put(environment, "gone", GONE)
    put(environment, "large", GONE * 20)
    delete(environment, "gone")
    delete(environment, "large")


def test_after_a_switch_nothing_of_what_was_deleted_is_in_a_file(tmp_path: Path):
    with opened(tmp_path) as environment:
        with_a_deletion(environment)
        assert traces(tmp_path) == ["data.mdb"]
        environment.switch()
        assert traces(tmp_path) == []
        assert contents(environment) == {"kept": b"value"}
        assert data_files(tmp_path) == {"data.mdb", "lock.mdb", "data.2.mdb", "data.2.mdb-lock"}
        put(environment, "later")
    with opened(tmp_path) as environment:
        assert contents(environment) == {"kept": b"value", "later": b"value"}


def test_no_key_of_what_was_deleted_stays_in_the_pages_above_the_leaves(tmp_path: Path):
    """LMDB keeps the first key of a page there when its record is deleted, and its own copy does, too."""
    keys = [f"person {number * 7919 % 5000:04} of many" for number in range(5000)]
    with opened(tmp_path) as environment:

        def fill(transaction: Transaction) -> None:
            for key in keys:
                transaction.table("identities").put(key.encode(), b"a record of some length" * 3)

        def empty(transaction: Transaction) -> None:
            for key in keys[::2]:
                transaction.table("identities").delete(key.encode())

        environment.write(fill)
        environment.write(empty)
        environment.switch()
        with environment.read() as transaction:
            assert transaction.count("identities") == 2500
    file = (tmp_path / "data.2.mdb").read_bytes()
    assert [key for key in keys[::2] if key.encode() in file] == []
    assert all(key.encode() in file for key in keys[1::2])


def test_a_second_switch_takes_away_the_file_of_the_first(tmp_path: Path):
    with opened(tmp_path) as environment:
        environment.switch()
        with_a_deletion(environment)
        environment.switch()
        assert environment.generation == 3
        assert traces(tmp_path) == []
        assert {"data.2.mdb", "data.2.mdb-lock"}.isdisjoint(data_files(tmp_path))
        assert contents(environment) == {"kept": b"value"}


def test_what_is_written_while_the_copy_is_made_is_in_the_next_generation(tmp_path: Path):
    def at_step(step: str) -> None:
        if step in ("noting", "copying", "copied", "brought over"):
            put(environment, f"at {step}")
            delete(environment, f"before {step}")
            environment.write(lambda transaction: transaction.table("galleries").clear())

    with opened(tmp_path) as environment:
        for step in ("noting", "copying", "copied", "brought over"):
            put(environment, f"before {step}")
        environment.write(lambda transaction: transaction.table("galleries").put(b"a", b"a"))
        environment.switch(at_step=at_step)
        assert environment.generation == 2
        assert contents(environment) == {
            f"at {step}": b"value" for step in ("noting", "copying", "copied", "brought over")
        }
        with environment.read() as transaction:
            assert not list(transaction.table("galleries").scan())
            assert transaction.count("changed") == 0
            assert transaction.table("meta").get(b"switching") is None


def test_many_writes_during_the_copy_are_brought_over_while_others_write(tmp_path: Path):
    def at_step(step: str) -> None:
        if step == "copied":
            environment.write(many)

    def many(transaction: Transaction) -> None:
        for number in range(2000):
            transaction.table("blocks").put(str(number).encode(), b"many")

    with opened(tmp_path) as environment:
        environment.switch(at_step=at_step)
        assert contents(environment) == {str(number): b"many" for number in range(2000)}


def test_a_rewrite_sees_every_write_and_is_what_everyone_reads_afterwards(tmp_path: Path):
    def rewrite(following: Transaction) -> None:
        table = following.table("blocks")
        for key, value in list(table.scan()):
            table.put(key, value.upper())

    def at_step(step: str) -> None:
        if step == "copied":
            put(environment, "late")

    with opened(tmp_path) as environment:
        put(environment, "early")
        environment.switch(rewrite, at_step=at_step)
        assert contents(environment) == {"early": b"VALUE", "late": b"VALUE"}


def test_a_rewrite_that_needs_a_larger_map_is_run_again(tmp_path: Path):
    def rewrite(following: Transaction) -> None:
        for number in range(40):
            following.table("blocks").put(str(number).encode(), bytes(100_000))

    with opened(tmp_path, map_bytes=MIB) as environment:
        put(environment, "kept")
        environment.switch(rewrite)
        assert len(contents(environment)) == 41


@pytest.mark.parametrize(
    "step", ["noting", "copying", "copied", "brought over", "finished", "renamed", "moving"]
)
def test_a_switch_that_fails_leaves_everything_as_it_was(tmp_path: Path, step: str):
    def at_step(reached: str) -> None:
        if reached == step:
            raise OSError("the disk is gone")

    with opened(tmp_path) as environment:
        with_a_deletion(environment)
        with pytest.raises(OSError, match="the disk is gone"):
            environment.switch(at_step=at_step)
        assert environment.generation == 1
        put(environment, "later")
        assert contents(environment) == {"kept": b"value", "later": b"value"}
        assert data_files(tmp_path) == {"data.mdb", "lock.mdb"}
        environment.switch()
        assert contents(environment) == {"kept": b"value", "later": b"value"}
        assert traces(tmp_path) == []


def test_a_disk_without_room_for_a_second_copy_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch
):
    with opened(tmp_path) as environment:
        with_a_deletion(environment)
        full = os.statvfs_result((4096, 4096, 100, 0, 0, 100, 100, 100, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda folder: full)
        with pytest.raises(GalleryFull, match="no room for a second copy"):
            environment.switch()
        assert contents(environment) == {"kept": b"value"}
        assert data_files(tmp_path) == {"data.mdb", "lock.mdb"}


def test_two_threads_or_processes_do_not_switch_at_the_same_time(tmp_path: Path):
    def at_step(step: str) -> None:
        if step == "copying":
            with pytest.raises(StorageBusy, match="another process rewrites"):
                environment.switch()
            reached.append(step)

    reached: list[str] = []
    with opened(tmp_path) as environment:
        environment.switch(at_step=at_step)
        assert (environment.generation, reached) == (2, ["copying"])


def test_threads_that_read_and_write_during_switches_lose_nothing(tmp_path: Path):
    """Each number that a thread has written is there, and no read sees less than one before it."""
    ended = threading.Event()
    failures: list[BaseException] = []
    written: list[int] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            while not ended.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - the test raises it
            failures.append(error)

    def write() -> None:
        put(environment, f"{len(written):06}")
        written.append(len(written))

    def read() -> None:
        least = len(written)
        assert len(contents(environment)) >= least

    with opened(tmp_path) as environment:
        threads = [threading.Thread(target=guarded, args=(work,)) for work in (write, read, read)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(4):
                environment.switch()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert not failures
        assert environment.generation == 5
        assert sorted(contents(environment)) == [f"{number:06}" for number in written]


def test_the_count_of_changes_never_returns_to_one_that_was_seen(tmp_path: Path):
    with opened(tmp_path) as environment:
        put(environment, "a")
        seen = [environment.change_count()]
        environment.switch()
        for _ in range(10):
            seen.append(environment.change_count())
            put(environment, "a")
        assert seen == sorted(set(seen))


OTHER = """
import sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
environment = Environment(Path(sys.argv[1]), GALLERY_STORAGE, map_bytes=4 << 20, max_bytes=64 << 20)
print("opened", flush=True)
for line in sys.stdin:
    verb, key = line.split()
    if verb == "put":
        environment.write(lambda transaction: transaction.table("blocks").put(key.encode(), b"other"))
    elif verb == "tidy":
        environment.tidy()
    elif verb == "switch":
        environment.switch()
    elif verb == "count":
        with environment.read() as transaction:
            key = transaction.count("blocks")
    print(verb, key, environment.generation, flush=True)
environment.close()
"""


@contextmanager
def other_process(folder: Path) -> Iterator[Callable[[str], str]]:
    """Another process that has the storage open; yields what has it do something, and returns what it says."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": PATHS},
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == "opened\n"

            def ask(line: str) -> str:
                print(line, file=other.stdin, flush=True)
                return other.stdout.readline().rstrip("\n")  # type: ignore[union-attr]

            yield ask
        finally:
            other.stdin.close()
            other.wait()


@pytest.mark.parametrize("generation", [1, 2])
def test_an_old_file_that_cannot_be_overwritten_stays_and_is_erased_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation: int
):
    """As on a disk that is full, and writes what changes to other blocks."""

    def full(file: int, data: bytes, at: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(tmp_path) as environment:
        if generation == 2:
            environment.switch()
        with_a_deletion(environment)
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            with pytest.raises(NotErased, match="was rewritten, and its old file cannot be erased"):
                environment.switch()
            assert environment.generation == generation + 1
            assert contents(environment) == {"kept": b"value"}
            for _ in range(2):
                with pytest.raises(OSError, match="No space left"):
                    environment.tidy()
                assert environment.has_old_files
                assert traces(tmp_path)
        environment.tidy()
        assert traces(tmp_path) == []
        assert not environment.has_old_files


@pytest.mark.parametrize(
    ("number", "error", "text"),
    [
        (errno.ENOSPC, GalleryFull, "the disk (is full|has no room)"),
        (errno.EDQUOT, GalleryFull, "the disk (is full|has no room)"),
        (errno.EROFS, StorageBusy, "is read-only"),
    ],
)
@pytest.mark.parametrize("call", ["open", "rename", "fsync"])
def test_a_disk_that_takes_no_write_is_named_wherever_a_switch_meets_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    error: type[Exception],
    text: str,
):
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with opened(tmp_path) as environment:
        with_a_deletion(environment)
        with monkeypatch.context() as patched:
            patched.setattr(os, call, fails)
            with pytest.raises(error, match=text):
                environment.switch()
        assert environment.generation == 1
        assert contents(environment) == {"kept": b"value"}
        environment.switch()
        assert contents(environment) == {"kept": b"value"}
        assert traces(tmp_path) == []


@pytest.mark.parametrize("generation", [1, 2])
def test_a_power_cut_never_finds_zeros_under_the_name_of_a_generation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation: int
):
    """The name by which a file is put aside is on the disk before its bytes go."""
    steps: list[str] = []

    def synced(path: Path) -> None:
        steps.append("names synced" if path == tmp_path else path.name)
        sync_path(path)

    with opened(tmp_path) as environment:
        for _ in range(generation - 1):
            environment.switch()
        monkeypatch.setattr(erasing, "sync_path", synced)
        environment.switch(at_step=steps.append)
    aside = steps.index("put aside")
    assert steps[aside - 1] == "names synced"
    assert "erasing" in steps[aside:]


def test_a_switch_that_fails_at_its_last_step_shows_nobody_a_file_of_zeros(tmp_path: Path):
    """As it may be looked at by a process that starts meanwhile."""
    looked: list[int] = []

    def at_step(step: str) -> None:
        if step == "moving":
            looked.append(os.open(tmp_path / "data.2.mdb", os.O_RDWR))
            fcntl.flock(looked[0], fcntl.LOCK_SH)
            raise StorageBusy("stopped")

    with opened(tmp_path) as environment:
        put(environment, "kept")
        with pytest.raises(StorageBusy, match="stopped"):
            environment.switch(at_step=at_step)
        assert os.pread(looked[0], 4096, 0).strip(b"\0")
        os.close(looked[0])
        environment.tidy()
        assert not (tmp_path / "data.2.mdb").exists()
        assert contents(environment) == {"kept": b"value"}


def test_another_process_goes_on_in_the_next_generation(tmp_path: Path):
    with opened(tmp_path) as environment:
        with_a_deletion(environment)
        with other_process(tmp_path) as ask:
            assert ask("count .") == "count 1 1"
            environment.switch()
            # The other process still has the old file, which holds those who were deleted.
            assert traces(tmp_path) == ["data.mdb"]
            assert ask("put other") == "put other 2"
            assert contents(environment) == {"kept": b"value", "other": b"other"}
            environment.tidy()
            assert traces(tmp_path) == []
            assert ask("switch .") == "switch . 3"
            assert contents(environment) == {"kept": b"value", "other": b"other"}
            assert environment.generation == 3


def test_a_process_that_does_nothing_but_tidy_lets_the_old_file_go(tmp_path: Path):
    with opened(tmp_path) as environment:
        with_a_deletion(environment)
        with other_process(tmp_path) as ask:
            environment.switch()
            assert traces(tmp_path) == ["data.mdb"]
            assert ask("tidy .") == "tidy . 2"
            assert traces(tmp_path) == []  # the last one that used it has erased it


def test_writes_of_another_process_during_the_copy_are_brought_over(tmp_path: Path):
    def at_step(step: str) -> None:
        if step in ("noting", "copying", "copied", "brought over"):
            ask(f"put {step.replace(' ', '-')}")

    with opened(tmp_path) as environment, other_process(tmp_path) as ask:
        environment.switch(at_step=at_step)
        assert sorted(contents(environment)) == ["brought-over", "copied", "copying", "noting"]


KILLED = """
import os, signal, sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
folder, at = Path(sys.argv[1]), sys.argv[2]
environment = Environment(folder, GALLERY_STORAGE, map_bytes=4 << 20, max_bytes=64 << 20)

def put(key):
    environment.write(lambda transaction: transaction.table("blocks").put(key.encode(), b"value"))
    print(key, flush=True)

def at_step(step):
    if step in ("noting", "copying", "copied", "brought over"):
        put(step)
    if step == at:
        os.kill(os.getpid(), signal.SIGKILL)

environment.switch(at_step=at_step)
environment.switch(at_step=at_step)
"""

STEPS = [
    "noting",
    "copying",
    "copied",
    "brought over",
    "finished",
    "renamed",
    "moving",
    "moved",
    "put aside",
    "erasing",
    "erased",
]


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_is_killed_at_a_step_loses_nothing_and_leaves_nothing(
    tmp_path: Path, step: str, generation: int
):
    with opened(tmp_path) as environment:
        if generation == 2:
            environment.switch()
        with_a_deletion(environment)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, step],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": PATHS},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    acknowledged = {"kept", *done.stdout.splitlines()}
    with opened(tmp_path) as environment:
        assert contents(environment).keys() == acknowledged
        put(environment, "later")
        while True:  # the copying process of the one that was killed may still have the lock
            try:
                environment.switch()
                break
            except StorageBusy:
                pass
        assert contents(environment).keys() == {*acknowledged, "later"}
        assert traces(tmp_path) == []
        assert all("part" not in name and "erase" not in name for name in data_files(tmp_path))
        assert len([name for name in data_files(tmp_path) if name.endswith(".mdb")]) <= 3
