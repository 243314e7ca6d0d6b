"""What the superuser's commands leave in the data folder of a service belongs to the service's user."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.new_vectors import NewVectors
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

SERVICE = 65534


@pytest.fixture
def data(tmp_path: Path) -> Path:
    if os.geteuid():
        pytest.skip("may not give files to another user here (root)")
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, SERVICE, SERVICE)
    return folder


def command(*arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "facewire_server", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def others(folder: Path) -> list[str]:
    """What in a folder is not its owner's."""
    owner = folder.stat().st_uid
    found = [folder / "gallery", *folder.rglob("*")]
    return [str(path) for path in found if path.lstat().st_uid != owner]


async def test_every_command_leaves_the_service_its_files(data: Path, tmp_path: Path) -> None:
    opened = LmdbGallery(
        data / "gallery", vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=2
    )
    with closing(opened) as gallery:
        one = np.array([[1.0, 0.0]], np.float32)
        who = NewIdentity("1", create=True)
        await gallery.enroll("default", who, [EnrollmentResult("a" * 32)], one)
    assert others(data) == []
    tokens = data / "tokens"
    commands: list[tuple[object, ...]] = [
        ("gallery", "backup", data / "backups" / "one"),
        ("gallery", "verify", data / "backups" / "one"),
        ("gallery", "verify"),
        ("gallery", "compact"),
        ("gallery", "stats"),
        ("gallery", "doctor"),
        ("gallery", "restore", data / "backups" / "one", "--replace"),
        ("token", "add", "door", "--role", "camera", "--token-file", tokens),
        ("token", "revoke", "door", "--token-file", tokens),
        ("audit", "verify"),
    ]
    for arguments in commands:
        command(*arguments, "--data", data)
        assert others(data) == [], arguments
    with NewVectors(data, "c" * 64) as made:  # of `reembed`
        made.add("default", [b"t"], one, np.ones(1, np.float32))
        assert others(data) == []
    new = tmp_path / "new"
    new.mkdir()
    os.chown(new, SERVICE, SERVICE)
    command("gallery", "restore", data / "backups" / "one", "--data", new)
    assert others(new) == []
