"""Writes `gallery_format_1.mdb.gz`: a gallery of format 1, as the code of commit 041335f stored it, without checksums.

    git worktree add /tmp/then 041335f
    PYTHONPATH=/tmp/then/server:/tmp/then/clients/python python tests/ports/golden/make_format_1.py tests/ports/golden

Run with that code, not with today's. It holds what `make_gallery.py` stored, and a gallery of several blocks. All vectors
are random unit vectors, and no name is a person's.
"""

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path

import numpy as np

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, blocks
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.galleries.refusal import Refusal
from facewire_server.types import Quality

CONTRACT = "c" * 64
DIMENSION = 16
MANY = 60
"""Templates of the gallery "many": more than a block of one page has rows."""


def vectors(count: int) -> np.ndarray:
    """(count, 16) float32: the first random unit rows of seed 5."""
    rows = np.random.default_rng(5).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def fill(gallery: LmdbGallery) -> None:
    for number in range(6):
        accepted = EnrollmentResult(
            f"{number:032x}",
            quality=Quality(40.0 + number, 10.0, 120.0),
            box=(1, 2, 30, 40),
            detection_score=0.9,
        )
        words = ("EmptyImage", "", "", "", "", "NoFace", "", "", "")
        refused = [
            EnrollmentResult("", refusal, f"refused: {word}")
            for refusal, word in zip(Refusal, words, strict=True)
        ]
        await gallery.enroll(
            "default",
            NewIdentity(f"id-{number % 3}", f"Name {number % 3}", create=True),
            [accepted, *refused],
            vectors(6)[number][None],
            source="door",
            request_id=f"request-{number}",
            fingerprint=b"f",
        )
    await gallery.delete_template("default", f"{1:032x}")  # the last row takes its place
    await gallery.create_gallery("visitors", "Visitors")
    await gallery.create_gallery("gone", "")
    await gallery.delete_gallery("gone")
    await gallery.enroll(
        "visitors",
        NewIdentity("many", create=True),
        [EnrollmentResult(f"{100 + number:032x}") for number in range(MANY)],
        vectors(MANY),
    )


def main(into: Path) -> None:
    blocks.BLOCK_PAGES = 1
    with tempfile.TemporaryDirectory() as folder:
        gallery = LmdbGallery(
            Path(folder),
            vector_search=ExactSearch(),
            model_contract_id=CONTRACT,
            dimension=DIMENSION,
        )
        asyncio.run(fill(gallery))
        gallery.close()
        data = (Path(folder) / "data.mdb").read_bytes()
    (into / "gallery_format_1.mdb.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
