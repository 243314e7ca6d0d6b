"""Writes `gallery_format_2.mdb.gz`: a gallery of format 2, as the code of commit 9381d61 stored it, without means.

    git worktree add /tmp/then 9381d61
    PYTHONPATH=/tmp/then/server:/tmp/then/clients/python python tests/ports/golden/make_format_2.py tests/ports/golden

Run with that code, not with today's. All vectors are random unit vectors, and no name is a person's.
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

CONTRACT = "c" * 64
DIMENSION = 16
MANY = 60
"""People of the gallery "visitors": more than a block of one page has rows."""

PEOPLE = {"agree": (0, 0, 0), "disagree": (1, 2), "one": (3,), "one-wrong": (4, 5, 4)}
"""Whom the pictures of each person show, by number; "one-wrong" has a picture of another."""


def faces(count: int) -> np.ndarray:
    """(count, 16) float64: directions of different people."""
    return np.random.default_rng(7).standard_normal((count, DIMENSION))


def pictures() -> dict[str, np.ndarray]:
    """Returns the templates of each person, (n, 16) float32 of unit length."""
    random = np.random.default_rng(8)
    made = {}
    for name, shown in PEOPLE.items():
        rows = faces(6)[list(shown)] + 0.3 * random.standard_normal((len(shown), DIMENSION))
        made[name] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


async def fill(gallery: LmdbGallery) -> None:
    number = 0
    for name, rows in pictures().items():
        for row in rows:
            await gallery.enroll(
                "default",
                NewIdentity(name, create=True),
                [EnrollmentResult(f"{number:032x}")],
                row[None],
            )
            number += 1
    await gallery.create_identity("default", "nobody", "")
    await gallery.create_gallery("visitors", "Visitors")
    many = faces(MANY)
    for number, row in enumerate(many / np.linalg.norm(many, axis=1, keepdims=True)):
        await gallery.enroll(
            "visitors",
            NewIdentity(f"visitor-{number}", create=True),
            [EnrollmentResult(f"{100 + number:032x}")],
            row[None],
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
    (into / "gallery_format_2.mdb.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
