"""The looks at people that `visit_evidence` makes visits of: all pictures of each lent person, and all frames of clips."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.line_embeddings import EmbeddingLine, Shot, embedding_line
from bench.report import progress
from harness import pictures

__all__ = ["LEAST_SHOTS", "Clip", "Seen", "Sitter", "seen"]

LEAST_SHOTS: Final = 3
"""Pictures of a person that are a visit; who has fewer is in galleries only."""

_MOST_SHOTS: Final = 12
"""Pictures of one person that are used."""

_MOST_ENROLLED: Final = 3
"""Pictures of one person that are enrolled at most."""

_ENROLLED_FRAMES: Final = 10
"""Frames of a clip from which its person is enrolled, as in `bench.video`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sitter:
    """A person of whom there are pictures.

    Attributes:
        name: the person.
        templates: (n, d) float32 of unit length, of those of the first three pictures that enrollment accepted; of a clip, of frames.
        enrolled: (n,) the place in `shots` of the picture of each template; of a clip 0.
        shots: one a picture, in order; None if the face was TOO_POOR or none was found. Empty if there are fewer than `LEAST_SHOTS`.
    """

    name: str
    templates: NDArray[np.float32]
    enrolled: NDArray[np.intp]
    shots: tuple[Shot | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Clip(Sitter):
    """A clip that shows one person: templates of frames spread over it, and one shot a frame.

    Attributes:
        fps: frames a second.
    """

    fps: float


@dataclass(frozen=True, slots=True)
class Seen:
    """All looks."""

    sitters: tuple[Sitter, ...]
    clips: tuple[Clip, ...]


def seen(cache: Path | None) -> Seen:
    """Embeds everything by the server's line, or reads what was kept.

    Args:
        cache: file (.npz) that keeps the embeddings: biometric data. None = none is kept.
    """
    if cache is not None and cache.exists():
        return _load(cache)
    found = asyncio.run(_look())
    if cache is not None:
        _save(found, cache)
    return found


async def _look() -> Seen:
    people = _pictures()
    films = _films()
    async with embedding_line() as line:
        sitters = [
            await _sitter(line, name, files)
            for name, files in progress(people.items(), "people", len(people))
        ]
        clips = [
            await _clip(line, name, film) for name, film in progress(films, "clips", len(films))
        ]
    return Seen(tuple(sitters), tuple(clips))


def _pictures() -> Mapping[str, Sequence[Path]]:
    """Returns the pictures of each person; one who is in both sets is one person."""
    files: dict[str, dict[str, Path]] = {}
    folders = [(pictures.folder("verify") / "lfw").iterdir(), pictures.folder("groups").glob("*/*")]
    for folder in (each for found in folders for each in sorted(found) if each.is_dir()):
        mine = files.setdefault(folder.name.removeprefix("lfw_"), {})
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
                mine.setdefault(path.name, path)
    return {name: tuple(mine.values()) for name, mine in sorted(files.items()) if mine}


def _films() -> list[tuple[str, Path]]:
    folder = pictures.folder("video")
    signed = [(path.parent.name, path) for path in sorted((folder / "asl").glob("*/*"))]
    return [*signed, ("woman", folder / "woman_720p.mp4")]


async def _sitter(line: EmbeddingLine, name: str, files: Sequence[Path]) -> Sitter:
    data = [pictures.sendable(path) for path in files[:_MOST_SHOTS]]
    accepted = [await line.templates(name, [each]) for each in data[:_MOST_ENROLLED]]
    places = np.array([place for place, rows in enumerate(accepted) if len(rows)], np.intp)
    shown = data if len(data) >= LEAST_SHOTS else []
    shots = tuple([await line.probe(each) for each in shown])
    return Sitter(name, np.concatenate(accepted), places, shots)


async def _clip(line: EmbeddingLine, name: str, film: Path) -> Clip:
    frames = list(pictures.video_frames(film))
    templates = await line.templates(name, pictures.evenly(frames, _ENROLLED_FRAMES))
    opened = cv2.VideoCapture(str(film))
    fps = opened.get(cv2.CAP_PROP_FPS)
    opened.release()
    shots = tuple([await line.probe(each) for each in frames])
    return Clip(name, templates, np.zeros(len(templates), np.intp), shots, fps)


def _save(found: Seen, cache: Path) -> None:
    shown: list[Sitter] = [*found.sitters, *found.clips]
    shots = [shot for one in shown for shot in one.shots]
    empty = np.zeros(next(len(shot.embedding) for shot in shots if shot), np.float32)
    np.savez(
        cache,
        names=np.array([one.name for one in shown]),
        clip_count=len(found.clips),
        fps=np.array([clip.fps for clip in found.clips]),
        templates=np.concatenate([one.templates.reshape(-1, len(empty)) for one in shown]),
        template_counts=np.array([len(one.templates) for one in shown]),
        enrolled=np.concatenate([one.enrolled for one in shown]),
        embeddings=np.stack([shot.embedding if shot else empty for shot in shots]),
        norms=np.array([shot.norm if shot else 0.0 for shot in shots]),
        eyes=np.array([shot.inter_eye_px if shot else 0.0 for shot in shots]),
        shot_counts=np.array([len(one.shots) for one in shown]),
    )


def _load(cache: Path) -> Seen:
    with np.load(cache) as held:
        names = held["names"].tolist()
        last = np.cumsum(held["template_counts"])[:-1]
        templates, enrolled = (np.split(held[part], last) for part in ("templates", "enrolled"))
        rows = [
            Shot(embedding, norm, eyes) if eyes else None
            for embedding, norm, eyes in zip(
                held["embeddings"], held["norms"].tolist(), held["eyes"].tolist(), strict=True
            )
        ]
        ends = np.cumsum(held["shot_counts"]).tolist()
        shots = [tuple(rows[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]
        fps = held["fps"].tolist()
    people = len(names) - len(fps)
    each = list(zip(names, templates, enrolled, shots, strict=True))
    return Seen(
        tuple(Sitter(*one) for one in each[:people]),
        tuple(Clip(*one, rate) for one, rate in zip(each[people:], fps, strict=True)),
    )
