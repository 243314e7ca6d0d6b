"""A file that grows is no file that was cut short, whoever notices it first."""

import os
from contextlib import closing
from pathlib import Path

import lmdb
import pytest

from facewire_server.backends.lmdb_storage.data_file import DataFile
from facewire_server.errors import StorageDamaged


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with lmdb.open(str(tmp_path)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"key", bytes(100_000))
    return tmp_path / "data.mdb"


def test_growth_that_another_thread_notices_meanwhile_is_no_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(DataFile(path, "the storage")) as file:
        length = DataFile._length

        def grown_meanwhile(self: DataFile) -> int:
            before = length(self)
            self._bytes = before + 4096  # the other thread has looked after this one
            return before

        monkeypatch.setattr(DataFile, "_length", grown_meanwhile)
        file.require_whole()
        file._bytes = 0
        assert file.is_whole


def test_a_file_is_made_as_long_as_its_pages_say_and_never_shorter(path: Path) -> None:
    before = path.stat().st_size
    with closing(DataFile(path, "the storage")) as file:
        file.reach(5)
        assert path.stat().st_size == before
        file.reach(before // 4096 + 9)
        assert path.stat().st_size == before + 10 * 4096
        file.require_whole()
        os.truncate(path, before)
        with pytest.raises(StorageDamaged, match="cut short"):
            file.require_whole()
        assert not file.is_whole


def test_a_disk_without_room_fails_no_write_that_is_committed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", is_full)
    with closing(DataFile(path, "the storage")) as file:
        file.reach(10_000)
