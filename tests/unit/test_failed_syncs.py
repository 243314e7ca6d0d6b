"""A folder whose names cannot be brought to the disk: whatever waits for that fails, and nothing that was there before is lost."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facewire_server.access.audit_log import AuditLog
from facewire_server.access.audit_verify import verify as verify_log
from facewire_server.access.roles import Role
from facewire_server.access.token_changes import add_token, revoke_token
from facewire_server.access.token_file import parse_tokens
from facewire_server.access.tokens import Token
from facewire_server.backends.lmdb_gallery.backups import back_up, verify
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.restores import restore
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.host.private_files import make_private_folder

MIB = 1 << 20
FAILED = os.strerror(errno.EIO)


class _Failing:
    """Folders that cannot be waited for, for a block."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._fsync = os.fsync

    def __enter__(self) -> None:
        self._monkeypatch.setattr(os, "fsync", self._failing)

    def __exit__(self, *_: object) -> None:
        self._monkeypatch.setattr(os, "fsync", self._fsync)

    def _failing(self, file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EIO, FAILED)
        self._fsync(file)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> _Failing:
    return _Failing(monkeypatch)


@contextmanager
def opened(folder: Path) -> Iterator[Environment]:
    environment = Environment(folder, GALLERY_STORAGE, map_bytes=4 * MIB, max_bytes=64 * MIB)
    try:
        yield environment
    finally:
        environment.close()


def put(environment: Environment, key: bytes) -> None:
    environment.write(lambda transaction: transaction.table("blocks").put(key, b"value"))


def keys(environment: Environment) -> list[bytes]:
    with environment.read() as transaction:
        return [key for key, _ in transaction.table("blocks").scan()]


@pytest.mark.parametrize("exists", [False, True])
def test_a_storage_is_not_opened(failing: _Failing, tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "data" / "gallery"
    if exists:
        with opened(folder):
            pass
    with failing, pytest.raises(OSError, match=FAILED), opened(folder):
        pass
    assert folder.exists() is exists, "what was made is not left as if it were on the disk"
    with opened(folder) as environment:
        put(environment, b"kept")
        assert keys(environment) == [b"kept"]


def test_a_switch_fails_and_the_file_in_use_is_the_storage(
    failing: _Failing, tmp_path: Path
) -> None:
    with opened(tmp_path) as environment:
        put(environment, b"before")
        with failing, pytest.raises(OSError, match=FAILED):
            environment.switch()
        assert environment.generation == 1
        put(environment, b"after")
        assert keys(environment) == [b"after", b"before"]
    with opened(tmp_path) as environment:
        assert keys(environment) == [b"after", b"before"]
        environment.switch()
        assert keys(environment) == [b"after", b"before"]
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".part", ".erase")]


def test_neither_a_backup_nor_a_restore_succeeds(failing: _Failing, tmp_path: Path) -> None:
    data, backup, new = (tmp_path / name for name in ("data", "backup", "new"))
    with opened(data):
        pass
    with failing, pytest.raises(OSError, match=FAILED):
        back_up(data, backup, lambda _: None)
    back_up(data, tmp_path / "second", lambda _: None)
    verify(tmp_path / "second")
    with failing, pytest.raises(OSError, match=FAILED):
        restore(tmp_path / "second", new)
    assert not (new / "data.mdb").exists()
    assert restore(tmp_path / "second", new).is_erased


def test_a_token_is_neither_given_nor_revoked(failing: _Failing, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    door = Token("door", b"", frozenset({Role.CAMERA}), None, None)
    with failing, pytest.raises(OSError, match=FAILED):
        add_token(path, door)
    # Of no use to anyone: its secret was not shown.
    assert [one.label for one in parse_tokens(path.read_text())] == ["door"]
    with failing, pytest.raises(OSError, match=FAILED):
        revoke_token(path, "door")


@pytest.mark.parametrize("lines", [0, 1])
def test_a_line_of_the_audit_log_is_not_kept(failing: _Failing, tmp_path: Path, lines: int) -> None:
    for _ in range(lines):  # of another process, which may have been killed before it waited
        AuditLog(tmp_path).append({"what": "before"})
    log = AuditLog(tmp_path)
    with failing, pytest.raises(OSError, match=FAILED):
        log.append({"what": "lost"})
    assert verify_log(tmp_path, ()).last.number == lines
    log.append({"what": "kept"})
    with failing:
        log.append({"what": "kept, too"})  # its file has its name on the disk since the last one
    assert verify_log(tmp_path, ()).last.number == lines + 2


def test_a_folder_is_made_and_on_the_disk_or_not_made(failing: _Failing, tmp_path: Path) -> None:
    with failing, pytest.raises(OSError, match=FAILED):
        make_private_folder(tmp_path / "one" / "two")
    assert list(tmp_path.iterdir()) == []
    make_private_folder(tmp_path / "one" / "two")
    assert (tmp_path / "one" / "two").is_dir()
