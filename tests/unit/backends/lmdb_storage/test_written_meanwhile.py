"""A file to which another process writes while it is looked at is not called damaged."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import lmdb
import pytest

from facewire_server.backends.lmdb_gallery import reading, soundness
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage import data_file, storage_check
from facewire_server.backends.lmdb_storage.data_file import DataFile
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.free_pages import FreePages, read_free_pages
from facewire_server.backends.lmdb_storage.meta_pages import Meta
from facewire_server.backends.lmdb_storage.reading import reading_current
from facewire_server.backends.lmdb_storage.storage_check import NotChecked, checked_by
from facewire_server.errors import StorageBusy, StorageDamaged

MIB = 1 << 20

WRITER = """
import random, sys
import lmdb
chance = random.Random(1)
with lmdb.open(sys.argv[1], sync=False, map_size=256 << 20) as environment:
    print("opened", flush=True)
    while True:
        with environment.begin(write=True) as transaction:
            for _ in range(30):
                transaction.put(b"%d" % chance.randrange(5000), bytes(chance.choice((10, 9000))))
"""


def test_a_file_under_constant_commits_opens(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline()
            for _ in range(300):
                DataFile(tmp_path / "data.mdb", "a storage").close()
        finally:
            writer.kill()


@pytest.mark.parametrize("commits", [2, 5])
def test_commits_between_two_looks_are_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    with lmdb.open(str(tmp_path), map_size=64 * MIB, sync=False) as environment:

        def commit() -> None:
            with environment.begin(write=True) as transaction:
                for key in range(20):
                    transaction.put(b"%d" % key, os.urandom(5000))

        def after_commits(file: int, meta: Meta) -> FreePages:
            for _ in range(commits):
                commit()
            return read_free_pages(file, meta)

        for _ in range(5):
            commit()
        monkeypatch.setattr(data_file, "read_free_pages", after_commits)
        DataFile(tmp_path / "data.mdb", "a storage").close()


def test_meta_pages_that_never_agree_while_they_change_are_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lmdb.open(str(tmp_path)).close()
    monkeypatch.setattr(DataFile, "_meta_pages", lambda self: (os.urandom(200), os.urandom(200)))
    with pytest.raises(StorageBusy, match="written to by another process"):
        DataFile(tmp_path / "data.mdb", "a storage")
    monkeypatch.setattr(DataFile, "_meta_pages", lambda self: (bytes(200), bytes(200)))
    with pytest.raises(StorageDamaged, match="a meta page is not one"):
        DataFile(tmp_path / "data.mdb", "a storage")


GROW = """
import sys
import lmdb
with lmdb.open(sys.argv[1], map_size=64 << 20) as environment:
    with environment.begin(write=True) as transaction:
        transaction.put(b"grown", bytes(20 << 20))
    with environment.begin(write=True) as transaction:
        transaction.delete(b"grown")
"""


def test_a_map_that_grows_before_it_is_read_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Environment(tmp_path, GALLERY_STORAGE, map_bytes=MIB, max_bytes=MIB).close()

    @contextmanager
    def grown(*arguments: object) -> Iterator[tuple[Path, lmdb.Environment]]:
        with reading_current(*arguments) as found:  # type: ignore[arg-type]
            subprocess.run([sys.executable, "-c", GROW, tmp_path], check=True)
            yield found

    monkeypatch.setattr(reading, "reading_current", grown)
    assert soundness.faulty_galleries(str(tmp_path)) == []


def test_what_an_interrupted_switch_left_is_not_zeroed_under_who_reads_it(tmp_path: Path) -> None:
    with closing(
        Environment(tmp_path, GALLERY_STORAGE, map_bytes=MIB, max_bytes=MIB)
    ) as environment:
        later = tmp_path / "data.2.mdb"
        later.write_bytes((tmp_path / "data.mdb").read_bytes())
        before = later.read_bytes()
        file = os.open(later, os.O_RDWR)
        fcntl.flock(file, fcntl.LOCK_SH)
        environment.tidy()
        with pytest.raises(StorageBusy, match="interrupted"):
            environment.switch()
        assert later.read_bytes() == before
        os.close(file)
        environment.tidy()
        assert not later.exists()


@pytest.mark.parametrize(
    ("error", "is_damage"),
    [
        ("StorageBusy('too many readers')", False),
        ("OSError(24, 'Too many open files')", False),
        ("MemoryError()", False),
        ("OSError('too many') from lmdb.MemoryError('map')", False),
        ("OSError('too many') from lmdb.ReadonlyError('disk')", False),
        ("OSError('too many') from lmdb.LockError('lock')", False),
        ("KeyError('too many, which nothing expects')", False),
        ("SystemExit('too many')", False),
        ("OSError() from lmdb.NotFoundError('a block')", True),
        ("StorageDamaged('it is cut short')", True),
        ("GalleryDamaged('a block')", True),
    ],
)
def test_a_check_that_could_not_read_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, is_damage: bool
) -> None:
    module = tmp_path / "a_check.py"
    module.write_text(
        "import lmdb\n"
        "from facewire_server.backends.lmdb_storage.storage_check import reporting\n"
        "from facewire_server.errors import *\n"
        f"with reporting():\n    raise {error}\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(storage_check, "generations", lambda folder: [])
    with pytest.raises(OSError, match=r"many|memory|short|block") as raised:
        checked_by("a_check", tmp_path)
    assert isinstance(raised.value, NotChecked) != is_damage
