"""A file is overwritten to its last byte, or the caller is told so."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facewire_server.backends.erasable_files import ErasableFiles
from facewire_server.host.overwriting import overwrite

MIB = 1 << 20
SECRET = b"the one who was deleted "


@pytest.fixture
def small_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes less of each write than it was given."""
    pwrite: Callable[..., int] = os.pwrite
    monkeypatch.setattr(
        os, "pwrite", lambda file, data, at: pwrite(file, data[: len(data) // 3 + 1], at)
    )


@pytest.mark.parametrize("size", [1, 4096, MIB + 1, 3 * MIB])
def test_every_byte_is_overwritten_by_writes_that_take_a_part(
    tmp_path: Path, size: int, small_writes: None
) -> None:
    file = tmp_path / "file"
    file.write_bytes((SECRET * (size // len(SECRET) + 1))[:size])
    overwrite(file)
    assert file.read_bytes() == bytes(size)


def test_a_picture_is_overwritten_by_writes_that_take_a_part(
    tmp_path: Path, small_writes: None
) -> None:
    crops = ErasableFiles(tmp_path / "crops", ".jpg")
    crops.write(1, SECRET * 1000)
    (tmp_path / "other").hardlink_to(tmp_path / "crops" / "1.jpg")
    crops.erase([1])
    assert set((tmp_path / "other").read_bytes()) == {0}


def test_holes_stay_holes_and_what_lies_between_them_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as opened:
        for at in (8 * MIB, 20 * MIB + 17):
            opened.seek(at)
            opened.write(SECRET * 200)
        opened.truncate(64 * MIB)
    blocks = file.stat().st_blocks
    overwrite(file)
    assert file.stat().st_size == 64 * MIB
    assert not file.read_bytes().strip(b"\0")
    assert file.stat().st_blocks <= blocks


def test_without_holes_known_all_of_it_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(file: int, at: int, how: int) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    file = tmp_path / "file"
    file.write_bytes(SECRET * 100_000)
    monkeypatch.setattr(os, "lseek", unknown)
    overwrite(file)
    assert not file.read_bytes().strip(b"\0")


def test_what_a_link_leads_to_is_left_as_it_is_and_not_called_overwritten(tmp_path: Path) -> None:
    (tmp_path / "others").write_bytes(SECRET)
    (tmp_path / "file").symlink_to(tmp_path / "others")
    with pytest.raises(OSError, match="symbolic links"):
        overwrite(tmp_path / "file")
    assert (tmp_path / "others").read_bytes() == SECRET
