"""Picks one face of a picture that may show several."""

from typing import Final

import numpy as np

from facewire_server.errors import NoFace, SeveralFaces
from facewire_server.types import Faces, FaceSelection

__all__ = ["select"]

_LEAST_AREA: Final = 1e-6
"""Square pixels: no distance is divided by zero."""


def select(faces: Faces, selection: FaceSelection, *, width_px: int, height_px: int) -> Faces:
    """Picks one face.

    Args:
        faces: n faces.
        selection: which one.
        width_px, height_px: of the upright picture.

    Returns:
        That face, as one row.

    Raises:
        NoFace: n is 0.
        SeveralFaces: n is above 1 and `selection` is ONLY.
    """
    if len(faces) == 0:
        raise NoFace("the picture shows no face")
    sides = faces.boxes[:, 2:] - faces.boxes[:, :2]
    areas = sides.prod(axis=1)
    centers = (faces.boxes[:, 2:] + faces.boxes[:, :2]) / 2
    if selection is FaceSelection.LARGEST:
        row = int(np.argmax(areas))
    elif selection is FaceSelection.MOST_CENTRAL:
        # In sides of the face: a small box between two people, often none at all, is nearer in pixels than either.
        distances = np.hypot(*(centers - (width_px / 2, height_px / 2)).T)
        row = int(np.argmin(distances / np.sqrt(np.maximum(areas, _LEAST_AREA))))
    elif len(faces) == 1:
        row = 0
    else:
        raise SeveralFaces(f"the picture shows {len(faces)} faces; it must show one")
    return faces[row : row + 1]
