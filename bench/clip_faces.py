"""The faces of the lent clips, frame by frame: boxes, scores, embeddings, made by the server's line once and kept in a cache."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.report import progress
from facewire_server.app.values import probe_gate, read_model_contract, request_defaults
from facewire_server.configuration.settings import Settings
from facewire_server.models import open_models
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.match import comparable
from facewire_server.types import Picture, PictureLimits
from harness import REPOSITORY, pictures

__all__ = ["ClipFaces", "see_clips"]

_CACHE: Final = REPOSITORY / "build/bench"
_SETTINGS: Final = Settings(models=REPOSITORY / "models")
_LIMITS: Final = PictureLimits(max_frame_bytes=1 << 26, max_pixels=1 << 27)
_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class ClipFaces:
    """n faces of one clip, in order of frames.

    Attributes:
        fps: frames a second.
        frame_count: frames of the clip.
        frames: (n,) number of the frame that each face is in.
        boxes: (n, 4) float64, pixels.
        scores: (n,) float32.
        embeddings: (n, d) float32 unit vectors.
        is_good: (n,) bool: the line would search the gallery for the face; the others are TOO_POOR.
    """

    fps: float
    frame_count: int
    frames: NDArray[np.intp]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    is_good: NDArray[np.bool_]


def see_clips(clips: Sequence[Path]) -> list[ClipFaces]:
    """Returns the faces of each clip, from the cache if the models have not changed since."""
    digest = _digest()
    missing = [clip for clip in clips if not _kept(clip, digest).is_file()]
    if missing:
        asyncio.run(_see(missing, digest))
    seen = []
    for clip in clips:
        with np.load(_kept(clip, digest)) as kept:
            parts = {name: kept[name] for name in kept.files}
            fps, frame_count = float(parts.pop("fps")), int(parts.pop("frame_count"))
            seen.append(ClipFaces(fps, frame_count, **parts))
    return seen


def _kept(clip: Path, digest: str) -> Path:
    return _CACHE / f"clip-{clip.parent.name}-{clip.stem}-{digest}.npz"


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted((REPOSITORY / "models").glob("*/1/assets.extra/facewire.json")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


async def _see(clips: Sequence[Path], digest: str) -> None:
    contract = read_model_contract(_SETTINGS.model_contract)
    defaults = request_defaults(_SETTINGS, contract)
    gate = probe_gate(_SETTINGS, contract).asking(
        min_inter_eye_px=defaults.decision.min_inter_eye_px
    )
    _CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_THREADS) as threads:
        async with open_models(contract, folder=_SETTINGS.models, threads=_THREADS) as models:
            finder = FaceFinder(
                models.detector, limits=_LIMITS, threads=threads, follower=lambda: models.follower
            )
            for clip in progress(clips, "clips", len(clips)):
                parts: dict[str, list[NDArray[Any]]] = {}
                frame_count = 0
                for number, data in enumerate(pictures.video_frames(clip)):
                    found = await finder.find(Picture(data), defaults.stream)
                    embedded = await models.embedder.embed(found.crops)
                    examined = [
                        gate.examine(quality, norm=float(norm), embedding=embedding).quality
                        for quality, norm, embedding in zip(
                            found.qualities, embedded.norms, embedded.embeddings, strict=True
                        )
                    ]
                    frame_count = number + 1
                    values: dict[str, NDArray[Any]] = {
                        "frames": np.full(len(found.faces), number, np.intp),
                        "boxes": found.faces.boxes.astype(np.float64),
                        "scores": found.faces.scores,
                        "embeddings": embedded.embeddings,
                        "is_good": comparable(examined),
                    }
                    for name, rows in values.items():
                        parts.setdefault(name, []).append(rows)
                joined = {name: np.concatenate(rows) for name, rows in parts.items()}
                joined |= {"fps": np.array(_fps(clip)), "frame_count": np.array(frame_count)}
                np.savez(_kept(clip, digest), allow_pickle=False, **joined)


def _fps(clip: Path) -> float:
    film = cv2.VideoCapture(str(clip))
    try:
        return float(film.get(cv2.CAP_PROP_FPS))
    finally:
        film.release()
