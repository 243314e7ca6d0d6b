"""Writes `gallery_b85648d.mdb.gz`: a gallery as the code of commit b85648d stored it.

    git worktree add /tmp/then b85648d
    PYTHONPATH=/tmp/then/server python tests/ports/golden/make_gallery.py tests/ports/golden

Run with that code, not with today's: the file shows that today's code reads what was written then. All
vectors are random unit vectors, and no name is a person's.
"""

import gzip
import sys
import tempfile
from pathlib import Path

import numpy as np
from facewire_server.pipeline.records import EnrollmentResult, NewIdentity
from facewire_server.pipeline.types import Quality

from facewire_server.backends.lmdb_gallery import LmdbGallery

CONTRACT = "c" * 64
DIMENSION = 16
REFUSALS = (
    "EmptyImage",
    "UndecodableImage",
    "TooManyBytes",
    "TooManyPixels",
    "ImageLayout",
    "NoFace",
    "SeveralFaces",
    "TooPoor",
    "AClassThatWasRemoved",
)


def vectors(count: int) -> np.ndarray:
    """(count, 16) float32: the first random unit rows of seed 5."""
    rows = np.random.default_rng(5).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def main(into: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        gallery = LmdbGallery(Path(folder), model_contract_id=CONTRACT, dimension=DIMENSION)
        for number in range(6):
            accepted = EnrollmentResult(
                f"{number:032x}", "", "", Quality(40.0 + number, 10.0, 120.0), (1, 2, 30, 40), 0.9
            )
            refused = [EnrollmentResult("", word, f"refused: {word}") for word in REFUSALS]
            gallery.enroll(
                "default",
                NewIdentity(f"id-{number % 3}", f"Name {number % 3}", create=True),
                [accepted, *refused],
                vectors(6)[number][None],
                source="door",
                request_id=f"request-{number}",
                fingerprint=b"f",
            )
        gallery.delete_template("default", f"{1:032x}")  # the last row takes its place
        gallery.create_gallery("visitors", "Visitors")
        gallery.create_gallery("gone", "")
        gallery.delete_gallery("gone")
        gallery.close()
        data = (Path(folder) / "data.mdb").read_bytes()
    (into / "gallery_b85648d.mdb.gz").write_bytes(gzip.compress(data, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
