"""Embeds the faces of a frame that are due, says which are too poor to be evidence, and looks at the others for presentation attacks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facewire_server.pipeline.attacks import AttackHints
from facewire_server.pipeline.embed import EXACT, Embedder
from facewire_server.pipeline.gate import Gate
from facewire_server.pipeline.match import comparable
from facewire_server.types import Quality, Rgb

__all__ = ["Evidence", "embedded", "with_attack_odds"]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A face that was cut out of a frame.

    Attributes:
        crop: (112, 112, 3) uint8 RGB.
        quality: with all that is known, and the faults.
        embedding: (d,) float32 of unit length; None = the face is too poor.
        is_exact: the embedding is one in float32.
        attack_log_odds: hint of a presentation attack; None = not scored.
    """

    crop: Rgb
    quality: Quality
    embedding: NDArray[np.float32] | None = None
    is_exact: bool = True
    attack_log_odds: float | None = None


async def embedded(
    crops: Rgb,
    qualities: Sequence[Quality],
    embedder: Embedder,
    gate: Gate,
    *,
    exactly: bool = False,
) -> list[Evidence]:
    """Embeds those that are good enough, all together, and those again in float32 whose faults are in doubt.

    Args:
        crops: (m, 112, 112, 3) uint8 RGB.
        qualities: of these m, without norms and faults.
        embedder: computes embeddings.
        gate: says which faces are too poor.
        exactly: in float32 from the first.

    Returns:
        m faces.

    Raises:
        ModelUnavailable: the model does not answer.
        TimedOut: it has not answered within the picture's time.
    """
    examined = [gate.examine(quality).quality for quality in qualities]
    found = [Evidence(crop, quality) for crop, quality in zip(crops, examined, strict=True)]
    rows = np.flatnonzero(comparable(examined))
    error = EXACT if exactly else embedder.frame_error
    doubted = []
    result = await embedder.embed(crops[rows], exact=exactly)
    for row, embedding, norm in zip(rows.tolist(), *result, strict=True):
        found[row] = _examined(found[row], embedding, float(norm), gate, is_exact=not any(error))
        if gate.is_near(
            float(norm), embedding, similarity_error=error.similarity, norm_error=error.norm
        ):
            doubted.append(row)
    again = await _exact([found[row] for row in doubted], embedder, gate)
    for row, one in zip(doubted, again, strict=True):
        found[row] = one
    return found


async def with_attack_odds(
    faces: Sequence[Evidence], surroundings: Rgb, attacks: AttackHints
) -> list[Evidence]:
    """Returns the faces with the hints of an attack, of those that are good enough to be compared.

    Args:
        faces: m faces.
        surroundings: (m, 80, 80, 3) uint8 RGB, the same with their surroundings.
        attacks: looks for presentation attacks.

    Raises:
        TimedOut: as `AttackHints.looks`.
    """
    scored = list(faces)
    rows = [row for row, face in enumerate(faces) if face.embedding is not None]
    looks = await attacks.looks(surroundings[rows])
    for row, log_odds in zip(rows, looks, strict=True):
        scored[row] = replace(faces[row], attack_log_odds=log_odds)
    return scored


async def _exact(faces: Sequence[Evidence], embedder: Embedder, gate: Gate) -> list[Evidence]:
    """Embeds faces again, in float32.

    Raises:
        ModelUnavailable, TimedOut: as `embedded`.
    """
    if not faces:
        return []
    result = await embedder.embed(np.stack([face.crop for face in faces]))
    return [
        _examined(face, embedding, float(norm), gate, is_exact=True)
        for face, embedding, norm in zip(faces, *result, strict=True)
    ]


def _examined(
    face: Evidence, embedding: NDArray[np.float32], norm: float, gate: Gate, *, is_exact: bool
) -> Evidence:
    quality = gate.examine(face.quality, norm=norm, embedding=embedding).quality
    good = None if quality.faults else embedding
    return replace(face, quality=quality, embedding=good, is_exact=is_exact)
