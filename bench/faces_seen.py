"""What the server's line sees in pictures that are made poorer: qualities and embeddings, kept in a cache."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.degraded import KINDS
from bench.report import progress
from facewire_server.app.values import read_model_contract
from facewire_server.errors import ServerError
from facewire_server.models import open_models
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.quality import eye_brightness
from facewire_server.types import DetectionOptions, FaceSelection, Picture, PictureLimits, Quality
from harness import REPOSITORY
from harness.pictures import MissingPictures

__all__ = ["CACHE", "Look", "Seen", "see"]

CACHE: Final = REPOSITORY / "build/bench"
"""The default folder of what was seen before."""

_DETECTION: Final = DetectionOptions(min_score=0.9, max_faces=256, short_side_fraction=1 / 32)
_LIMITS: Final = PictureLimits(max_frame_bytes=1 << 26, max_pixels=1 << 27)


class Look(NamedTuple):
    """A picture of a person, to be seen in one way.

    Attributes:
        path: of the picture.
        person: whose it is.
        group: which people the person belongs to.
        kind: a key of `degraded.KINDS`.
    """

    path: Path
    person: str
    group: str
    kind: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The most central faces of n looks; looks without a face are left out.

    Attributes:
        looks: n looks.
        qualities: of each face; norm and faults are not set.
        norms, eye_brightness: (n,).
        plain, mirrored: (n, d) embeddings, as of probes and as of templates.
    """

    looks: list[Look]
    qualities: list[Quality]
    norms: NDArray[np.float32]
    eye_brightness: NDArray[np.float32]
    plain: NDArray[np.float32]
    mirrored: NDArray[np.float32]

    def rows(self, kind: str) -> NDArray[np.intp]:
        """Returns the rows of this kind."""
        return np.array([row for row, look in enumerate(self.looks) if look.kind == kind], np.intp)

    def people(self, rows: NDArray[np.intp]) -> NDArray[np.str_]:
        """Returns whose faces these are."""
        return np.array([self.looks[row].person for row in rows])


class _Row(NamedTuple):
    look: int
    numbers: list[float]
    plain: NDArray[np.float32]
    mirrored: NDArray[np.float32]


def see(looks: Sequence[Look], cache: Path, label: str) -> Seen:
    """Returns what the line sees, from the cache if nothing that matters has changed since.

    Args:
        looks: what to see; the kinds of one picture follow each other, and `clean` is the first.
        cache: a folder; made if absent.
        label: of the progress bar.
    """
    file = cache / f"{_digest(looks)}.npz"
    if not file.is_file():
        rows = asyncio.run(_see(looks, label))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(
            file,
            look=[row.look for row in rows],
            numbers=[row.numbers for row in rows],
            plain=[row.plain for row in rows],
            mirrored=[row.mirrored for row in rows],
        )
    with np.load(file) as kept:
        numbers = kept["numbers"]
        return Seen(
            [looks[index] for index in kept["look"]],
            [
                Quality(size, sharp, bright, axis, 0.0, yaw, pitch)
                for size, sharp, bright, axis, yaw, pitch, *_ in numbers.tolist()
            ],
            numbers[:, 6].astype(np.float32),
            numbers[:, 7].astype(np.float32),
            kept["plain"],
            kept["mirrored"],
        )


def _digest(looks: Sequence[Look]) -> str:
    """Returns what the result depends on: pictures and kinds, the code of the line, the models."""
    digest = hashlib.sha256(repr([tuple(map(str, look)) for look in looks]).encode())
    sources = [
        *sorted((REPOSITORY / "server/facewire_server/pipeline").glob("*.py")),
        *sorted((REPOSITORY / "server/facewire_server/pictures").glob("*.py")),
        REPOSITORY / "bench/degraded.py",
        *sorted((REPOSITORY / "models").glob("*/1/assets.extra/facewire.json")),
    ]
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


async def _see(looks: Sequence[Look], label: str) -> list[_Row]:
    contract = read_model_contract("sface")
    rows: list[_Row] = []
    with ThreadPoolExecutor(2) as threads:
        async with open_models(contract, folder=REPOSITORY / "models", threads=2) as models:
            finder = FaceFinder(
                models.detector, limits=_LIMITS, threads=threads, follower=lambda: models.follower
            )
            landmarks = np.zeros((5, 2), np.float32)
            for index, look in enumerate(progress(looks, label, len(looks))):
                data = _encoded(look, landmarks)
                try:
                    found = await finder.find(Picture(data), _DETECTION, FaceSelection.MOST_CENTRAL)
                except ServerError:
                    continue
                if look.kind == "clean":
                    landmarks = found.faces.landmarks[0]
                plain, norms = await models.embedder.embed(found.crops)
                mirrored, _ = await models.embedder.embed_mirrored(found.crops)
                quality = found.qualities[0]
                numbers = [
                    *quality[:4],
                    quality.yaw,
                    quality.pitch,
                    float(norms[0]),
                    eye_brightness(found.crops[0]),
                ]
                rows.append(_Row(index, numbers, plain[0], mirrored[0]))
    return rows


def _encoded(look: Look, landmarks: NDArray[np.float32]) -> bytes:
    if look.kind == "clean":
        return look.path.read_bytes()
    pixels = cv2.imread(str(look.path))
    if pixels is None:
        raise MissingPictures(f"{look.path.name} cannot be read")
    poorer = KINDS[look.kind](pixels.astype(np.uint8), landmarks)
    return cv2.imencode(".png", poorer)[1].tobytes()
