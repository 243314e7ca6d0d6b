"""Writes `gallery_format_3.mdb.gz`: a gallery of format 3, as the code of commit 53c13d3 stored it, without negative examples.

    git worktree add /tmp/then 53c13d3
    PYTHONPATH=/tmp/then/server:/tmp/then/clients/python python tests/ports/golden/make_format_3.py tests/ports/golden

Run with that code, not with today's. All vectors are random unit vectors, and no name is a person's.
"""

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path

import numpy as np

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

CONTRACT = "c" * 64
DIMENSION = 16


def vectors(count: int) -> np.ndarray:
    """(count, 16) float32 of unit length."""
    rows = np.random.default_rng(5).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def fill(gallery: LmdbGallery) -> None:
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    for number, row in enumerate(vectors(4)):
        await gallery.enroll(
            "default",
            NewIdentity(f"id-{number}", create=True),
            [EnrollmentResult(f"{number:032x}")],
            row[None],
            crops=crop,
        )
    await gallery.merge_identities("default", "id-1", "id-2")
    await gallery.delete_identity("default", "id-3")


def main(into: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        gallery = LmdbGallery(
            Path(folder),
            vector_search=ExactSearch(),
            model_contract_id=CONTRACT,
            dimension=DIMENSION,
            crop_keys=CropKeys([b"k" * 32]),
            keep_crops=True,
        )
        asyncio.run(fill(gallery))
        gallery.close()
        data = (Path(folder) / "data.mdb").read_bytes()
    (into / "gallery_format_3.mdb.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
