import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import lmdb
import pytest

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage import folder as folder_module
from facewire_server.backends.lmdb_storage import lock_file, open_file
from facewire_server.backends.lmdb_storage.data_file import DataFile
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.errors import GalleryFull, StorageBusy, StorageDamaged
from fakes.python import PATHS

MIB = 1 << 20


@contextmanager
def opened(path: Path, map_bytes: int = MIB, max_bytes: int = 64 * MIB) -> Iterator[Environment]:
    environment = Environment(path, GALLERY_STORAGE, map_bytes=map_bytes, max_bytes=max_bytes)
    try:
        yield environment
    finally:
        environment.close()


def put(environment: Environment, key: str, size: int = 100_000, **kwargs) -> None:
    environment.write(
        lambda transaction: transaction.table("blocks").put(key.encode(), bytes(size)), **kwargs
    )


def keys(environment: Environment) -> list[str]:
    with environment.read() as transaction:
        return [key.decode() for key, _ in transaction.table("blocks").scan()]


def test_folder_and_files_are_the_owners_only(tmp_path: Path):
    with opened(tmp_path / "a" / "data"):
        assert stat.S_IMODE((tmp_path / "a" / "data").stat().st_mode) == 0o700
        files = list((tmp_path / "a" / "data").iterdir())
        locks = {"lock.mdb", "facewire.lock", "switch.lock"}
        assert {file.name for file in files} == {"data.mdb", "reserve", *locks}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path):
    with opened(tmp_path) as environment:
        put(environment, "a")
    with opened(tmp_path) as environment:
        assert keys(environment) == ["a"]


def test_it_is_not_opened_twice_in_a_process(tmp_path: Path):
    with opened(tmp_path) as environment:
        with pytest.raises(OSError, match="already open"), opened(tmp_path):
            pass
        put(environment, "a")
        assert keys(environment) == ["a"]


def test_a_folder_used_from_another_pid_namespace_is_refused(tmp_path: Path, monkeypatch):
    with opened(tmp_path / "data"):
        monkeypatch.setattr(folder_module, "_pid_namespace", lambda: b"another")
        with pytest.raises(OSError, match="another container"), opened(tmp_path / "data"):
            pass
    with opened(tmp_path / "data"):
        pass  # nobody has it any more


def test_a_storage_of_another_version_is_refused(tmp_path: Path):
    with opened(tmp_path) as environment:
        environment.write(lambda transaction: transaction.table("meta").put(b"format", b"0"))
    with pytest.raises(OSError, match="another version"), opened(tmp_path):
        pass


def test_a_file_that_is_no_storage_is_refused_and_can_be_replaced(tmp_path: Path):
    (tmp_path / "data.mdb").write_bytes(b"something else" * 1000)
    with pytest.raises(StorageDamaged, match="a meta page is not one"), opened(tmp_path):
        pass
    (tmp_path / "data.mdb").unlink()
    with opened(tmp_path) as environment:
        assert keys(environment) == []


def test_the_map_grows_as_far_as_the_quota(tmp_path: Path):
    with opened(tmp_path, max_bytes=8 * MIB) as environment:
        written = []
        with pytest.raises(GalleryFull):  # noqa: PT012  # whichever write is the first without room
            for number in range(1000):
                put(environment, f"{number:03}")
                written.append(f"{number:03}")
        assert 60 < len(written) < 84
        assert keys(environment) == written


def test_a_single_write_larger_than_twice_the_map_fits(tmp_path: Path):
    with opened(tmp_path) as environment:
        put(environment, "a", size=20 * MIB)
        assert keys(environment) == ["a"]


def test_deletions_find_room_when_the_quota_is_used_up(tmp_path: Path):
    with opened(tmp_path, map_bytes=2 * MIB, max_bytes=2 * MIB) as environment:
        environment.snapshot()  # keeps pages from being reused
        with pytest.raises(GalleryFull):  # noqa: PT012  # as above
            for number in range(2000):
                put(environment, f"{number % 100}", size=1000)
        for number in range(10):
            put(environment, f"{number}", size=10, beyond_quota=True)


def test_growth_waits_for_the_readers_of_this_process(tmp_path: Path):
    with opened(tmp_path) as environment:
        put(environment, "a", size=1000)
        inside, go = threading.Event(), threading.Event()
        seen: list[bytes] = []

        def read() -> None:
            with environment.read() as transaction:
                view = transaction.table("blocks").view(b"a")
                assert view is not None
                inside.set()
                assert go.wait(10)
                seen.append(bytes(view))

        def grow() -> None:
            put(environment, "b", size=10 * MIB)

        reader, writer = threading.Thread(target=read), threading.Thread(target=grow)
        reader.start()
        assert inside.wait(10)
        writer.start()
        while not environment.map_lock.writer_waiting:  # the writer met the full map
            assert writer.is_alive()
        go.set()
        reader.join(10)
        writer.join(10)
        assert seen == [bytes(1000)]
        assert keys(environment) == ["a", "b"]


def test_a_snapshot_ends_when_the_map_moves_and_says_so(tmp_path: Path):
    with opened(tmp_path) as environment:
        put(environment, "a")
        snapshot = environment.snapshot()
        with snapshot.step() as transaction:
            assert transaction.table("blocks").get(b"a") == bytes(100_000)
        put(environment, "b", size=10 * MIB)
        with pytest.raises(StorageBusy, match="again"), snapshot.step():
            pass
        snapshot.close()
        assert keys(environment) == ["a", "b"]


def test_a_snapshot_shows_one_moment_until_it_is_closed(tmp_path: Path):
    with opened(tmp_path) as environment:
        put(environment, "a", size=10)
        snapshot = environment.snapshot()
        put(environment, "b", size=10)
        with snapshot.step() as transaction:
            assert [key for key, _ in transaction.table("blocks").scan()] == [b"a"]
        snapshot.close()
        snapshot.close()
        with pytest.raises(StorageBusy), snapshot.step():
            pass
        assert keys(environment) == ["a", "b"]


def test_a_change_that_fails_writes_nothing(tmp_path: Path):
    def change(transaction) -> None:
        transaction.table("blocks").put(b"a", b"1")
        raise KeyError("of the change")

    with opened(tmp_path) as environment:
        with pytest.raises(KeyError):
            environment.write(change)
        assert keys(environment) == []


def test_no_error_of_the_vendor_comes_out(tmp_path: Path):
    with opened(tmp_path) as environment, pytest.raises(OSError, match="BAD_VALSIZE"):
        put(environment, "x" * 5000)


def test_a_read_beyond_the_most_readers_is_busy_until_one_ends(tmp_path: Path, monkeypatch):
    for module in (open_file, lock_file):
        monkeypatch.setattr(module, "MAX_READERS", 1)
    with opened(tmp_path) as environment:
        with (
            environment.read(),
            pytest.raises(StorageBusy, match="too many readers"),
            environment.read(),
        ):
            pass
        assert keys(environment) == []


KILLED_READER = """
import sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
environment = Environment(Path(sys.argv[1]), GALLERY_STORAGE, map_bytes=1 << 20, max_bytes=64 << 20)
with environment.read():
    print("reading", flush=True)
    sys.stdin.read()
"""


def test_the_place_of_a_reader_that_was_killed_is_taken(tmp_path: Path, monkeypatch):
    for module in (open_file, lock_file):
        monkeypatch.setattr(module, "MAX_READERS", 1)
    # An idle transaction keeps its place.
    monkeypatch.setattr(open_file, "_SPARE_READERS", 0)
    with opened(tmp_path) as environment:
        with subprocess.Popen(
            [sys.executable, "-c", KILLED_READER, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": PATHS},
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "reading\n"
            with pytest.raises(StorageBusy, match="too many readers"), environment.read():
                pass
            other.kill()
        assert keys(environment) == []


@pytest.mark.parametrize(
    ("free_blocks", "error", "text"),
    [
        (0, GalleryFull, "the disk is full; nothing was written"),
        (1 << 30, OSError, "Input/output error"),
    ],
)
def test_a_write_that_is_cut_short_is_a_full_gallery_only_if_the_disk_is_full(
    tmp_path: Path, monkeypatch, free_blocks: int, error: type[Exception], text: str
):
    """LMDB reports both as an input/output error; a disk cannot be filled in a test."""

    def cut_short(transaction: Transaction) -> None:
        failure = lmdb.Error("mdb_txn_commit: Input/output error")
        failure.code = errno.EIO  # type: ignore[misc]  # as LMDB sets it
        raise failure

    with opened(tmp_path) as environment:
        disk = SimpleNamespace(f_bavail=free_blocks, f_frsize=4096)
        monkeypatch.setattr(os, "statvfs", lambda folder: disk)
        with pytest.raises(error, match=text):
            environment.write(cut_short)
        put(environment, "a")
        assert keys(environment) == ["a"]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), lmdb.MapFullError("full")])
def test_what_fails_after_a_commit_is_no_failure_of_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def fails(*_: object) -> None:
        raise error

    def add(transaction: Transaction) -> None:
        table = transaction.table("blocks")
        table.put(b"%d" % transaction.count("blocks"), b"")

    with opened(tmp_path) as environment:
        monkeypatch.setattr(DataFile, "reach", fails)
        environment.write(add, beyond_quota=True)
        assert keys(environment) == ["0"]


@pytest.mark.parametrize(
    ("number", "error", "text"),
    [
        (errno.ENOSPC, GalleryFull, "the disk is full; nothing was written"),
        (errno.EDQUOT, GalleryFull, "the disk is full; nothing was written"),
        (errno.EROFS, StorageBusy, "is read-only: its operator must make it writable"),
    ],
)
@pytest.mark.parametrize("of_lmdb", [True, False])
def test_a_disk_that_takes_no_write_is_one_error_whoever_meets_it(
    tmp_path: Path, number: int, error: type[Exception], text: str, of_lmdb: bool
):
    def change(transaction: Transaction) -> None:
        transaction.table("blocks").put(b"key", b"")
        if not of_lmdb:
            raise OSError(number, os.strerror(number))
        failed = lmdb.Error("write")
        vars(failed)["code"] = number
        raise failed

    with opened(tmp_path) as environment:
        environment._reserve.give_up()
        for is_deletion in (False, True):
            with pytest.raises(error, match=text):
                environment.write(change, beyond_quota=is_deletion)
        assert keys(environment) == []


def test_a_link_in_the_place_of_the_reserve_is_not_followed(tmp_path: Path):
    (tmp_path / "others").write_bytes(b"others")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "reserve").symlink_to(tmp_path / "others")
    with opened(folder) as environment:
        assert not environment._reserve.give_up()
    assert (tmp_path / "others").read_bytes() == b"others"
