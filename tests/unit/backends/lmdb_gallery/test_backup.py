"""What docs/running.md promises of a backup: of a closed gallery, `data.mdb` is everything."""

import shutil
from pathlib import Path

import numpy as np

from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.types import Quality

CONTRACT_ID = "c" * 64


def opened(folder: Path) -> LmdbGallery:
    return LmdbGallery(folder, model_contract_id=CONTRACT_ID, dimension=4)


def exported(gallery: LmdbGallery) -> list[str]:
    info, records = gallery.export_records("default")
    return [repr(info), *map(repr, records)]


def test_the_one_file_restored_is_the_gallery(tmp_path: Path) -> None:
    before = opened(tmp_path / "before")
    vectors = np.eye(4, dtype=np.float32)
    for row, name in enumerate(("ada", "bo", "cy")):
        who = NewIdentity(name, create=True)
        result = EnrollmentResult(
            f"{row:032x}", quality=Quality(*[1.0] * len(Quality._fields)), detection_score=0.9
        )
        before.enroll("default", who, [result], vectors[row : row + 1])
    records = exported(before)
    revision = before.revision("default")
    before.close()
    (tmp_path / "restored").mkdir()
    shutil.copy(tmp_path / "before" / "data.mdb", tmp_path / "restored")
    restored = opened(tmp_path / "restored")
    assert restored.revision("default") == revision
    assert exported(restored) == records
    found = restored.search("default", vectors[:3], 1)
    assert [[each.identity_id for each in row] for row in found.candidates] == [
        ["ada"],
        ["bo"],
        ["cy"],
    ]
    restored.close()
