"""What docs/running.md promises of a backup: of a closed gallery, `data.mdb` is everything."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, storage_check
from facewire_server.backends.lmdb_gallery.backups import back_up, verify
from facewire_server.backends.lmdb_gallery.erasure import compact
from facewire_server.backends.lmdb_gallery.restores import restore
from facewire_server.backends.lmdb_storage.growth import Progress, unshown
from facewire_server.backends.lmdb_storage.storage_check import NotChecked
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.types import Quality, QualityFault

CONTRACT_ID = "c" * 64


def opened(folder: Path) -> LmdbGallery:
    return LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=CONTRACT_ID, dimension=4
    )


async def exported(gallery: LmdbGallery) -> list[str]:
    async with gallery.export_records("default") as (info, records):
        return [repr(info), *[repr(record) async for record in records]]


@pytest.mark.parametrize(
    "fault", ["KeyError('nothing expects it')", "OSError('open') from lmdb.MemoryError('map')"]
)
def test_what_could_not_be_checked_is_not_overwritten_by_a_restore(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    opened(data).close()
    back_up(data, backup, unshown)
    before = (data / "data.mdb").read_bytes()
    (tmp_path / "a_check.py").write_text(
        "import sys, lmdb\n"
        "from facewire_server.backends.lmdb_gallery import soundness\n"
        "from facewire_server.backends.lmdb_storage.storage_check import reporting\n"
        "with reporting():\n"
        f"    if sys.argv[1] == {str(data)!r}:\n"
        f"        raise {fault}\n"
        "    print(soundness.json.dumps(soundness.faulty_galleries(sys.argv[1])))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(storage_check, "_CHECK", "a_check")
    with pytest.raises(NotChecked, match="cannot be checked"):
        restore(backup, data, is_replacing=True)
    assert (data / "data.mdb").read_bytes() == before


async def test_the_one_file_restored_is_the_gallery(tmp_path: Path) -> None:
    vectors = np.eye(4, dtype=np.float32)
    with closing(opened(tmp_path / "before")) as before:
        for row, name in enumerate(("ada", "bo", "cy")):
            who = NewIdentity(name, create=True)
            result = EnrollmentResult(
                f"{row:032x}",
                quality=Quality(1, 2, 3, 4, 5, 6, 7, (QualityFault.BLURRED,)),
                detection_score=0.9,
            )
            await before.enroll("default", who, [result], vectors[row : row + 1])
        records = await exported(before)
    (tmp_path / "restored").mkdir()
    shutil.copy(tmp_path / "before" / "data.mdb", tmp_path / "restored")
    with closing(opened(tmp_path / "restored")) as restored:
        assert await exported(restored) == records
        found = await restored.search("default", vectors[:3], 1)
    assert [[each.identity_id for each in row] for row in found.candidates] == [
        ["ada"],
        ["bo"],
        ["cy"],
    ]


@pytest.mark.parametrize("is_replacing", [False, True])
async def test_what_is_left_in_the_pages_of_a_backup_does_not_come_back(
    tmp_path: Path, is_replacing: bool
) -> None:
    """As in a backup of a version that had LMDB copy its pages."""
    vector = np.eye(1, 4, dtype=np.float32)
    names = [f"person {number * 7919 % 300:03} of many" for number in range(300)]
    with closing(opened(tmp_path / "before")) as before:
        for name in names:
            await before.create_identity("default", name, "")
        for name in names[::2]:
            await before.delete_identity("default", name)
    backup = tmp_path / "backup"
    back_up(tmp_path / "before", backup, lambda share: None)
    shutil.copy(tmp_path / "before" / "data.mdb", backup / "data.mdb")  # with its free pages
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256((backup / "data.mdb").read_bytes()).hexdigest()
    (backup / "manifest.json").write_text(json.dumps(manifest))
    after = tmp_path / "after"
    if is_replacing:
        with closing(opened(after)) as gallery:
            await gallery.enroll(
                "default", NewIdentity("x", create=True), [EnrollmentResult("a" * 32)], vector
            )
    assert restore(backup, after, is_replacing=is_replacing).is_erased
    files = [path.read_bytes() for path in after.iterdir()]
    assert not [name for name in names[::2] if any(name.encode() in file for file in files)]
    with closing(opened(after)) as gallery:
        found = await gallery.list_identities("default", "", 1000)
    assert sorted(names[1::2]) == [one.identity_id for one in found]


async def test_each_step_shows_how_far_it_is(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "data")) as gallery:
        for number in range(20):
            results = [EnrollmentResult(f"{10 * number + one:032x}") for one in range(10)]
            rows = np.repeat(np.eye(1, 4, dtype=np.float32), 10, axis=0)
            await gallery.enroll("default", NewIdentity(f"{number}", create=True), results, rows)
        await gallery.delete_identity("default", "0")
    backup = tmp_path / "backup"
    steps: dict[str, tuple[int, Callable[[Progress], object]]] = {
        "backup": (2, lambda progress: back_up(tmp_path / "data", backup, progress)),
        "verify": (1, lambda progress: verify(backup, progress=progress)),
        "compact": (2, lambda progress: compact(tmp_path / "data", progress=progress)),
        "replace": (
            3,
            lambda progress: restore(
                backup, tmp_path / "data", is_replacing=True, progress=progress
            ),
        ),
        "restore": (2, lambda progress: restore(backup, tmp_path / "new", progress=progress)),
    }
    for name, (part_count, step) in steps.items():
        shares: list[float] = []
        step(shares.append)
        assert shares.count(1.0) == part_count, name
        assert shares[-1] == 1.0
        assert any(0.4 < share < 0.6 for share in shares), "of the check, in which each is taken"
        assert all(0 < share <= 1 for share in shares)


async def test_statistics_say_when_the_last_backup_was_made_and_how_long_a_deletion_waits(
    tmp_path: Path,
) -> None:
    with closing(opened(tmp_path / "data")) as gallery:
        assert (await gallery.statistics()).backed_up_at_s == 0
        assert (await gallery.statistics()).erasure_pending_s == 0
        (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="exists"):
        back_up(tmp_path / "data", tmp_path / "there", unshown)
    for name in ("first", "second"):
        before_s = time.time() - 1  # a file's time may lie behind the clock by a tick
        back_up(tmp_path / "data", tmp_path / name, unshown)
        with closing(opened(tmp_path / "data")) as gallery:
            assert before_s <= (await gallery.statistics()).backed_up_at_s <= time.time()
    with closing(opened(tmp_path / "data")) as gallery:
        await gallery.create_identity("default", "ada", "")
        await gallery.delete_identity("default", "ada")
        first = (await gallery.statistics()).erasure_pending_s
        await gallery.create_identity("default", "bo", "")
        await gallery.delete_identity("default", "bo")
        assert (await gallery.statistics()).erasure_pending_s > first > 0
        await gallery.purge()
        assert (await gallery.statistics()).erasure_pending_s == 0
