"""`gallery backup` and `restore` that are killed at each of their steps: no half backup is taken for a whole one, and a restore is run again."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from facewire_server.backends.lmdb_gallery.backups import back_up
from facewire_server.backends.lmdb_gallery.restores import restore
from facewire_server.errors import ServerError
from integration.test_gallery_backups import assert_first, enroll, opened

PEOPLE = 3

KILLED = """
import os, signal, sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery.backups import back_up
from facewire_server.backends.lmdb_gallery.restores import restore

verb, source, target, step = sys.argv[1:]
left = int(step)
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.copyfile", "open")

def count(event, arguments):
    global left
    if event in CHANGES and str(arguments[0]).startswith(target):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
back_up(Path(source), Path(target), lambda share: None) if verb == "backup" else restore(
    Path(source), Path(target), is_replacing=verb == "replace"
)
"""
"""Ends itself before the step of this number: a change, or the opening, of what lies under the target's path."""


def killed(verb: str, source: Path, target: Path) -> Iterator[int]:
    """Runs the verb, killed one step later each time; yields the step after each kill, and ends when the verb does."""
    for step in range(100):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, verb, source, target, str(step)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        if done.returncode == 0:
            assert step >= 5
            return
        assert done.returncode == -signal.SIGKILL
        yield step


@pytest.fixture
async def gallery(tmp_path: Path) -> Path:
    """The folder of a storage in which some people are enrolled."""
    with closing(opened(tmp_path / "data")) as opened_gallery:
        for number in range(PEOPLE):
            await enroll(opened_gallery, number)
    return tmp_path / "data" / "gallery"


@pytest.mark.timeout(600)
async def test_a_backup_that_was_killed_is_whole_or_refused(gallery: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    for _ in killed("backup", gallery, backup):
        for folder in (backup, tmp_path / "backup.part"):
            try:
                restore(folder, tmp_path / "new" / "gallery")
            except (ServerError, OSError):
                assert folder != backup or not backup.exists()
            else:
                await assert_first(tmp_path / "new", PEOPLE)
            shutil.rmtree(tmp_path / "new", ignore_errors=True)
        shutil.rmtree(backup, ignore_errors=True)
    assert not (tmp_path / "backup.part").exists()
    restore(backup, tmp_path / "new" / "gallery")
    await assert_first(tmp_path / "new", PEOPLE)


@pytest.mark.timeout(600)
async def test_after_a_restore_that_was_killed_no_empty_gallery_is_served_and_it_can_be_run_again(
    gallery: Path, tmp_path: Path
) -> None:
    backup, new = tmp_path / "backup", tmp_path / "new"
    back_up(gallery, backup, lambda share: None)
    interrupted = 0
    for _ in killed("restore", backup, new / "gallery"):
        if (new / "gallery" / "data.mdb").exists():  # its last steps
            await assert_first(new, PEOPLE)
            (new / "gallery" / "data.mdb").unlink()
        elif (new / "gallery" / "data.mdb.part").exists():
            interrupted += 1
            with pytest.raises(OSError, match="was interrupted: run it again"):
                opened(new)
    assert interrupted
    await assert_first(new, PEOPLE)


@pytest.mark.timeout(600)
async def test_in_the_place_of_a_damaged_storage_the_same_command_completes_a_restore_that_was_killed(
    gallery: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    back_up(gallery, backup, lambda share: None)
    file = gallery / "data.mdb"
    damaged = bytes(file.stat().st_size)
    file.write_bytes(damaged)
    interrupted = 0
    for _ in killed("replace", backup, gallery):
        if not file.exists():
            interrupted += 1
            with pytest.raises(OSError, match="was interrupted: run it again"):
                opened(tmp_path / "data")
            restore(backup, gallery, is_replacing=True)
        if file.read_bytes() != damaged:
            await assert_first(tmp_path / "data", PEOPLE)
            file.write_bytes(damaged)
    assert interrupted
    await assert_first(tmp_path / "data", PEOPLE)
