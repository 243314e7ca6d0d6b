"""What docs/running.md promises of a backup: of a closed gallery, `data.mdb` is everything."""

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
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
