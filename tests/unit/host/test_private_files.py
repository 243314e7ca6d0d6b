"""What the superuser makes in a service's folder is the service's; a link that the service has placed is not followed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from facewire_server.host.private_files import make_private_folder, open_private

SERVICE = 65534

MAKE = """
import os, signal, sys
from itertools import count
from pathlib import Path
from facewire_server.host.private_files import make_private_folder, open_private
around, last = Path(sys.argv[1]), int(sys.argv[2])
steps = count()

def step(event, arguments):
    if next(steps) == last:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(step)
make_private_folder(around / "folder")
os.close(open_private(around / "file"))
os.close(open_private(around / "new", os.O_RDWR | os.O_EXCL))
"""
"""Makes a folder and files; is killed before a step that Python's audit events name, among them each call of the system."""


as_superuser = pytest.mark.skipif(
    os.geteuid() != 0, reason="only the superuser makes files for another user"
)


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


@as_superuser
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


def test_who_is_killed_leaves_no_other_file_and_none_of_the_superuser(folder: Path) -> None:
    for last in range(1000):
        around = folder / f"{last}"
        make_private_folder(around)
        done = subprocess.run([sys.executable, "-c", MAKE, around, f"{last}"], check=False)
        assert {path.name for path in around.iterdir()} <= {"folder", "file", "new"}
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    made = list(folder.rglob("*"))
    assert last > 3
    assert {owner(path) for path in made} == {owner(folder)}
    assert {path.stat().st_nlink for path in made if path.is_file()} == {1}


@as_superuser
def test_the_thread_is_the_superuser_again_afterwards(folder: Path, tmp_path: Path) -> None:
    os.close(open_private(folder / "file"))
    make_private_folder(folder / "one")
    with pytest.raises(FileNotFoundError):
        open_private(folder / "none" / "file")
    with pytest.raises(IsADirectoryError):
        open_private(folder / "one")
    own = tmp_path / "own"
    own.write_text("text")
    assert owner(own) == (os.geteuid(), os.getegid())
    assert (own.stat().st_uid, own.read_text()) == (os.geteuid(), "text")


@as_superuser
def test_the_owner_need_not_reach_the_folder_by_its_path(folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    os.close(open_private(folder / "file"))
    assert owner(folder / "file") == owner(folder)
