"""Joins the faces that several searches of one picture found."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from facewire_server.types import Faces

__all__ = ["merged"]

_SAME_FACE: Final = 0.7
"""Share of the smaller box under a better one from which both are one face: the last suppression of the cascade, by the same measure
(`mtcnn.py`, `unnested`)."""


def merged(parts: Sequence[Faces], max_faces: int) -> Faces:
    """Returns the faces of all parts, each once, highest score first.

    Args:
        parts: at least one, all in pixels of one picture; of equal scores the earlier part's face is kept.
        max_faces: most faces returned.
    """
    joined = Faces(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
    )
    joined = joined[np.argsort(-joined.scores, kind="stable")]
    areas = np.prod(joined.boxes[:, 2:] - joined.boxes[:, :2], axis=1)
    kept: list[int] = []
    for row, box in enumerate(joined.boxes):
        better = np.array(kept, np.intp)
        low = np.maximum(box[:2], joined.boxes[better, :2])
        high = np.minimum(box[2:], joined.boxes[better, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        if not (shared > _SAME_FACE * np.minimum(areas[row], areas[better])).any():
            kept.append(row)
            if len(kept) == max_faces:
                break
    return joined[np.array(kept, np.intp)]
