"""A new storage is made whole or not at all, and what a process leaves that is killed meanwhile goes at the next start."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage import erasing
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.host.disk import sync_path
from facewire_server.host.overwriting import overwrite

MIB = 1 << 20
CHANGES = frozenset(("open", "os.rename", "os.remove", "os.link", "os.truncate"))
KEPT = frozenset(("data.mdb", "lock.mdb", "facewire.lock", "switch.lock", "reserve"))
GONE = b"the one who was deleted " * 40


def opened(folder: Path) -> Environment:
    return Environment(folder, GALLERY_STORAGE, map_bytes=4 * MIB, max_bytes=64 * MIB)


def put(environment: Environment, key: bytes, value: bytes = b"value") -> None:
    environment.write(lambda transaction: transaction.table("blocks").put(key, value))


def contents(environment: Environment) -> dict[bytes, bytes]:
    with environment.read() as transaction:
        return dict(transaction.table("blocks").scan())


def killed_at(step: int, folder: Path, call: Callable[[], object]) -> bool:
    """Makes a call in a process of its own, which is killed before the change of a file of that number; returns whether it was."""
    child = os.fork()
    if not child:
        left = step

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in CHANGES and str(arguments[0]).startswith(str(folder)):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            call()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_killed_at_any_step_it_leaves_nothing_that_the_next_start_does_not_take_away(
    tmp_path: Path,
) -> None:
    left = set()
    for step in range(100):
        folder = tmp_path / str(step)
        was_killed = killed_at(step, folder, lambda at=folder: opened(at).close())  # type: ignore[misc]
        left |= {path.name for path in folder.iterdir()} if folder.exists() else set()
        environment = opened(folder)
        put(environment, b"kept")
        assert contents(environment) == {b"kept": b"value"}
        environment.close()
        assert {path.name for path in folder.iterdir()} <= KEPT
        if not was_killed:
            break
    assert step > 5
    assert "new.part" in left, "a kill while the file is made was among them"


def test_the_second_name_that_an_earlier_version_has_left_goes_and_the_storage_stays(
    tmp_path: Path,
) -> None:
    environment = opened(tmp_path)
    put(environment, b"kept")
    put(environment, b"gone", GONE)
    environment.write(lambda transaction: transaction.table("blocks").delete(b"gone"))
    environment.close()
    left = tmp_path / "data.mdb.4711.new"
    left.hardlink_to(tmp_path / "data.mdb")
    assert GONE in left.read_bytes()
    environment = opened(tmp_path)
    assert not left.exists()
    assert contents(environment) == {b"kept": b"value"}
    environment.switch()
    assert contents(environment) == {b"kept": b"value"}
    environment.close()
    assert not [path for path in tmp_path.iterdir() if GONE in path.read_bytes()]


def test_the_name_of_what_was_put_aside_is_on_the_disk_before_its_bytes_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that put it aside may have been killed before it waited: zeros under its old name would be damage after a power cut."""
    environment = opened(tmp_path)
    put(environment, b"kept")
    environment.switch()
    environment.close()
    steps: list[str] = []

    def synced(path: Path) -> None:
        steps.append("names synced" if path == tmp_path else path.name)
        sync_path(path)

    def overwritten(path: Path, begun: Callable[[], None]) -> None:
        steps.append(path.name)
        overwrite(path, begun)

    (tmp_path / "data.1.mdb.erase").write_bytes(GONE)
    monkeypatch.setattr(erasing, "sync_path", synced)
    monkeypatch.setattr(erasing, "overwrite", overwritten)
    opened(tmp_path).close()
    assert steps[:2] == ["names synced", "data.1.mdb.erase"]
    assert not (tmp_path / "data.1.mdb.erase").exists()
