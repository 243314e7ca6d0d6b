"""Aligned crops of the most central faces of pictures, made by the server's own steps and kept in a cache."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report import progress
from facewire_server.errors import ServerError
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.find import FaceFinder
from facewire_server.types import DetectionOptions, FaceSelection, Picture, PictureLimits
from harness import REPOSITORY

__all__ = ["FaceCrops", "face_crops"]

_DETECTION: Final = DetectionOptions(min_score=0.9, max_faces=256, short_side_fraction=1 / 32)
_LIMITS: Final = PictureLimits(max_frame_bytes=1 << 26, max_pixels=1 << 27)


class FaceCrops(NamedTuple):
    """The crops of the pictures with a face: (n, 112, 112, 3), and which picture each is of."""

    crops: NDArray[np.uint8]
    paths: tuple[str, ...]


async def face_crops(detector: Detector, paths: Sequence[Path], cache: Path) -> FaceCrops:
    """Returns the crops, from the cache if neither the pictures nor the code of the steps have changed.

    Args:
        detector: finds the faces.
        paths: of the pictures; those without a face are left out.
        cache: folder of the crops, which are biometric data.
    """
    steps = sorted((REPOSITORY / "server/facewire_server/pipeline").glob("*.py"))
    digest = hashlib.sha256(repr([str(path) for path in paths]).encode())
    for step in steps:
        digest.update(step.read_bytes())
    file = cache / f"crops-{digest.hexdigest()[:16]}.npz"
    if not file.is_file():
        crops, of = [], []
        with ThreadPoolExecutor(1) as threads:
            finder = FaceFinder(detector, limits=_LIMITS, threads=threads)
            for path in progress(paths, "pictures", len(paths)):
                try:
                    found = await finder.find(
                        Picture(path.read_bytes()), _DETECTION, FaceSelection.MOST_CENTRAL
                    )
                except ServerError:
                    continue
                crops.append(found.crops[0])
                of.append(str(path))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, crops=np.stack(crops), paths=np.array(of))
    with np.load(file) as held:
        return FaceCrops(held["crops"], tuple(held["paths"].tolist()))
