"""Faces: which are looked for, where they are, how well they can be recognized."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CANVAS_MIN_FACE_PX",
    "CROP_PX",
    "SURROUNDINGS_PX",
    "DetectionOptions",
    "FaceSelection",
    "Faces",
    "Quality",
    "QualityFault",
]

CROP_PX = 112
"""Side of an aligned crop in pixels: the input size of the embedding model."""

SURROUNDINGS_PX = 80
"""Side of a face with its surroundings in pixels: the input size of the model that looks for presentation attacks."""

CANVAS_MIN_FACE_PX = 20
"""Side of the smallest face wanted, on the canvas that is searched, pixels. MTCNN's smallest is 12; 20 leave its later stages
the detail that they need to reject patterns."""


@dataclass(frozen=True, slots=True)
class Faces:
    """n detected faces of one picture, highest score first.

    Attributes:
        boxes: (n, 4) float32: x1, y1, x2, y2; may reach outside the picture.
        scores: (n,) float32 in [0, 1].
        landmarks: (n, 5, 2) float32 x, y: left eye, right eye, nose, left mouth corner,
            right mouth corner, as the viewer sees them.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of faces."""
        return len(self.scores)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Faces":
        """Returns the faces of `rows`, in that order."""
        return Faces(self.boxes[rows], self.scores[rows], self.landmarks[rows])

    def scaled(self, x: float, y: float) -> "Faces":
        """Returns the same faces in a picture that is x times as wide and y times as high."""
        by = np.array([x, y, x, y], np.float32)
        return Faces(self.boxes * by, self.scores, self.landmarks * by[:2])

    def moved(self, x_px: float, y_px: float) -> "Faces":
        """Returns the same faces in a picture of which this one is the part that begins at x, y."""
        by = np.array([x_px, y_px, x_px, y_px], np.float32)
        return Faces(self.boxes + by, self.scores, self.landmarks + by[:2])


class QualityFault(Enum):
    """What is wrong with a face (`facewire.v1.QualityFault`). The words are stored: do not change them."""

    TOO_SMALL = "too small"
    BLURRED = "blurred"
    TURNED_AWAY = "turned away"
    TOO_DARK = "too dark"
    TOO_BRIGHT = "too bright"
    UPSIDE_DOWN = "upside down"
    COVERED = "covered"
    UNRECOGNIZABLE = "unrecognizable"


class Quality(NamedTuple):
    """How well a face can be recognized (`facewire.v1.Quality`); `pipeline.quality` defines the measures.

    Attributes:
        inter_eye_px: distance of the eyes in the picture, pixels; of a face turned to the side as it would be from the front.
        sharpness: variance of the Laplacian of the crop's luma.
        brightness: mean luma of the crop, in [0, 255].
        directional_sharpness: variance of the second derivative of the crop's luma along x or along y, the smaller.
        embedding_norm: length of the embedding before it was normalized; 0 = unknown.
        yaw: the nose's shift to the viewer's right, in distances from eyes to mouth.
        pitch: the nose's shift toward the eyes, in distances from eyes to mouth.
        faults: what the limits of the server object to.
    """

    inter_eye_px: float
    sharpness: float
    brightness: float
    directional_sharpness: float = 0.0
    embedding_norm: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    faults: tuple[QualityFault, ...] = ()


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """What counts as a face.

    Attributes:
        min_face_px: side of the smallest face to find, in pixels of the picture; 0 = `short_side_fraction`.
        short_side_fraction: side of the smallest face to find, as a fraction of the picture's shorter side.
        min_score: lowest detection score reported.
        max_faces: most faces reported, the highest scores first.
        max_tiles: most tiles in which a picture is searched that is too large for one canvas; 0 = on one canvas only.
    """

    min_score: float
    max_faces: int
    short_side_fraction: float
    min_face_px: int = 0
    # Not part of the text, from which a repeated enrollment is recognized: it is the server's, not the request's.
    max_tiles: int = field(default=0, repr=False)


class FaceSelection(Enum):
    """Which face of a picture to use if one face is needed."""

    LARGEST = "largest"
    MOST_CENTRAL = "most central"
    ONLY = "only"
