"""What the superuser makes in a service's folder is the service's; a link that the service has placed is not followed."""

import os
from pathlib import Path

import pytest

from facewire_server.host.private_files import make_private_folder, open_private

SERVICE = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of another user, if this one may make such a folder."""
    made = tmp_path / "service"
    made.mkdir()
    if not os.geteuid():
        os.chown(made, SERVICE, SERVICE)
    return made


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


def test_files_and_folders_belong_to_the_owner_of_the_folder(folder: Path) -> None:
    make_private_folder(folder / "one" / "two")
    os.close(open_private(folder / "one" / "two" / "file"))
    for path in folder.rglob("*"):
        assert owner(path) == owner(folder)
        assert path.stat().st_mode & 0o077 == 0 or path.name == "one"
    assert [path.name for path in (folder / "one" / "two").iterdir()] == ["file"]


def test_a_file_that_is_there_is_opened_as_it_is(folder: Path) -> None:
    file = folder / "file"
    file.write_text("kept")
    os.close(open_private(file))
    assert file.read_text() == "kept"
    assert owner(file) == owner(folder)
    with pytest.raises(FileExistsError):
        open_private(file, os.O_RDWR | os.O_EXCL)


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.write_text("text")
    before = owner(others)
    (folder / "file").symlink_to(others)
    with pytest.raises(OSError, match="symbolic links"):
        open_private(folder / "file")
    (folder / "hard").hardlink_to(others)
    os.close(open_private(folder / "hard"))
    assert owner(others) == before


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "taken")
