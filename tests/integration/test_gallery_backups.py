"""`facewire-server gallery`: a backup made while people are enrolled is restored whole; what is damaged is named."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

CONTRACT = "c" * 64
DIMENSION = 16
ROWS = np.random.default_rng(1).standard_normal((2000, DIMENSION)).astype(np.float32)
ROWS /= np.linalg.norm(ROWS, axis=1, keepdims=True)

BACKUP_FOREVER = """
import sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery.backups import back_up
number = 0
while True:
    back_up(Path(sys.argv[1]), Path(sys.argv[2]) / str(number), lambda share: None)
    print(number, flush=True)
    number += 1
"""


def opened(data: Path) -> LmdbGallery:
    return LmdbGallery(
        data / "gallery",
        vector_search=ExactSearch(),
        model_contract_id=CONTRACT,
        dimension=DIMENSION,
    )


async def enroll(gallery: LmdbGallery, number: int) -> None:
    result = EnrollmentResult(f"{number:032x}")
    who = NewIdentity(f"{number:04}", create=True)
    await gallery.enroll("default", who, [result], ROWS[number : number + 1])


def command(data: Path, *arguments: object) -> tuple[int, str]:
    """Runs `facewire-server gallery`; returns its exit status and all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "facewire_server", "gallery", *map(str, arguments), "--data", data],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


async def assert_first(data: Path, least: int) -> None:
    """The gallery holds the first people that were enrolled, `least` or more, and no other."""
    with closing(opened(data)) as gallery:
        people = await gallery.list_identities("default", "", 5000)
        assert [one.identity_id for one in people] == [f"{n:04}" for n in range(len(people))]
        assert len(people) >= least
        if people:
            found = await gallery.search("default", ROWS[: len(people)], 1)
            assert [best.identity_id for (best,) in found.candidates] == [
                one.identity_id for one in people
            ]


async def test_a_backup_made_under_writes_is_the_gallery_at_one_moment(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
        with subprocess.Popen(
            [sys.executable, "-c", BACKUP_FOREVER, data / "gallery", tmp_path],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                for number in range(1, 400):
                    await enroll(gallery, number)
                assert process.stdout is not None
                assert process.stdout.readline() == "0\n"
            finally:
                process.kill()
        assert command(data, "verify")[0] == 0
        assert command(data, "backup", tmp_path / "last") == (
            0,
            f"backup of {data / 'gallery'} in {tmp_path / 'last'}\n",
        )
    for name, least in (("0", 1), ("last", 400)):
        assert command(tmp_path / f"restored-{name}", "restore", tmp_path / name)[0] == 0
        await assert_first(tmp_path / f"restored-{name}", least)
    manifest = json.loads((tmp_path / "last" / "manifest.json").read_text())
    assert manifest["bytes"] == (tmp_path / "last" / "data.mdb").stat().st_size
    assert {path.name for path in (tmp_path / "last").iterdir()} == {"data.mdb", "manifest.json"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "last", data / "gallery"))


async def test_what_cannot_be_done_is_refused_with_cause_and_next_step(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    assert command(data, "backup", backup) == (
        1,
        f"facewire-server: there is no gallery in {data / 'gallery'}: name the data folder of the server\n",
    )
    assert not backup.exists()
    with closing(opened(data)) as gallery:
        for number in range(3):
            await enroll(gallery, number)
        assert command(data, "backup", backup)[0] == 0
        assert "exists: name a folder that does not" in command(data, "backup", backup)[1]
        status, text = command(data, "restore", backup)
        assert (status, "with --replace" in text and "move" in text) == (1, True)
    assert command(data, "restore", backup)[0] == 1
    assert "is no backup" in command(tmp_path / "new", "restore", data / "gallery")[1]
    assert command(data, "backup")[0] == 2
    await assert_first(data, 3)


@pytest.mark.parametrize("at", ["in a vector", "at the end", "in the manifest"])
async def test_a_damaged_backup_is_found_and_never_restored(tmp_path: Path, at: str) -> None:
    data, backup, new = tmp_path / "data", tmp_path / "backup", tmp_path / "new"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
    assert command(data, "backup", backup)[0] == 0
    assert command(data, "verify", backup) == (0, f"{backup}: sound\n")
    file = backup / ("manifest.json" if at == "in the manifest" else "data.mdb")
    content = bytearray(file.read_bytes())
    place = {"in a vector": content.find(ROWS[0].tobytes()), "at the end": -1}.get(at, 0)
    content[place] ^= 1
    file.write_bytes(content)
    for verb in ("verify", "restore"):
        status, text = command(new, verb, backup)
        assert (status, "take another backup" in text) == (1, True)
    assert not (new / "gallery" / "data.mdb").exists()


async def test_of_a_damaged_gallery_no_backup_is_made(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
    file = data / "gallery" / "data.mdb"
    vector = ROWS[0].tobytes()
    file.write_bytes(file.read_bytes().replace(vector, bytes([vector[0] ^ 1]) + vector[1:]))
    status, text = command(data, "backup", backup)
    assert status == 1
    assert "damaged galleries: default; no backup was made: restore an earlier one" in text
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
