"""Measures how well each face can be recognized, on its crop and its landmarks. `gate` holds the limits."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Faces, Quality, Rgb

__all__ = ["Attitude", "assess", "attitude", "eye_brightness"]

_INNER: Final = slice(16, 96)
"""Rows and columns of a crop that show a face; beyond them the black outside of a picture makes sharp edges. Chosen with
this part 98 % of faces that are smeared by 11 px lie below the limit of 6, with the whole crop 65 %."""

_LIT_LUMA: Final = 80.0
"""Mean luma, of 255, to which a darker crop is brightened before its directional sharpness is measured: a derivative falls with the
light. Of sharp faces at a fifth of the light 78 % would lie below the limit otherwise, with it none."""

_EYES: Final = (np.s_[45:57, 29:47], np.s_[45:57, 64:82])
_CHEEKS: Final = (np.s_[68:80, 27:41], np.s_[68:80, 71:85])
"""Rows and columns of a crop around both eyes, and on both cheeks, below the lower rim of glasses. Chosen on pictures."""

_FRONTAL_NOSE: Final = 0.495
"""How far down the way from eyes to mouth the nose of a frontal face is: of the alignment template, hence a share."""

_EYES_BY_AXIS: Final = 0.82
"""Distance of the eyes of a frontal face in distances from eyes to mouth, at least: of every fifth picture of LFW, 220 frontal faces (yaw below
0.1), the median is 0.92, and one in 25 becomes larger by more than 2 %. So limits of size mean what they meant for frontal faces."""

_MOST_TURNED: Final = 2.0
"""Most by which the distance of the eyes is enlarged: that of a head turned by 60 degrees. Further on one eye is hidden, and a narrow strip
of a face behind another one is not a large face."""


class Attitude(NamedTuple):
    """What the landmarks of a face say about its quality; the attributes are those of `Quality`."""

    inter_eye_px: float
    yaw: float
    pitch: float


def attitude(landmarks: NDArray[np.float32]) -> Attitude:
    """Measures size and pose of a face whose crop is not at hand.

    Args:
        landmarks: (5, 2) float32.
    """
    # As complex numbers: for five points NumPy takes six times as long, in each frame and for each face.
    left_eye, right_eye, nose, *corners = (complex(x, y) for x, y in landmarks.tolist())
    eyes, mouth = (left_eye + right_eye) / 2, sum(corners) / 2
    yaw, pitch = _pose(eyes, nose, mouth)
    # A face that turns to the side loses the distance of its eyes only.
    eyes_px = abs(right_eye - left_eye)
    size_px = max(eyes_px, min(_EYES_BY_AXIS * abs(mouth - eyes), _MOST_TURNED * eyes_px))
    return Attitude(size_px, yaw, pitch)


def assess(faces: Faces, crops: Rgb) -> list[Quality]:
    """Measures size, sharpness, brightness and pose of each face; norm and faults are not known yet.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in
    brightfield microscopy", ICPR 2000) of the crop's luma: taken on the aligned crop, it is
    comparable between faces of any size. It is the sum of what is sharp along x and along y, so a face smeared
    along one axis keeps most of it; the directional sharpness, of the worse axis, does not.

    Args:
        faces: n faces.
        crops: (n, 112, 112, 3) uint8 RGB, their aligned crops.
    """
    qualities = []
    for landmarks, crop in zip(faces.landmarks, crops, strict=True):
        luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        sharpness = cv2.Laplacian(luma, cv2.CV_32F).var()
        seen = attitude(landmarks)
        qualities.append(
            Quality(
                seen.inter_eye_px,
                float(sharpness),
                float(luma.mean()),
                directional_sharpness=_directional_sharpness(luma),
                yaw=seen.yaw,
                pitch=seen.pitch,
            )
        )
    return qualities


def _directional_sharpness(luma: NDArray[np.uint8]) -> float:
    """Returns the variance of the second derivative (1, -2, 1) along x or along y, whichever is smaller."""
    gain = max(1.0, _LIT_LUMA / max(float(luma.mean()), 1.0))
    along_x, along_y = (
        float(cv2.Sobel(luma, cv2.CV_32F, *order, ksize=1)[_INNER, _INNER].var())
        for order in ((2, 0), (0, 2))
    )
    return min(along_x, along_y) * gain**2


def eye_brightness(crop: Rgb) -> float:
    """Returns the mean luma around the eyes divided by that of the cheeks: dark glasses make it small.

    Args:
        crop: (112, 112, 3) uint8 RGB, aligned, so that eyes and cheeks are at known places.
    """
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    eyes, cheeks = (np.mean([luma[place].mean() for place in both]) for both in (_EYES, _CHEEKS))
    return float(eyes / max(cheeks, 1.0))


def _pose(eyes: complex, nose: complex, mouth: complex) -> tuple[float, float]:
    """Returns yaw and pitch, as shifts of the nose in distances from eyes to mouth, in [-1, 1].

    The axis of the face goes from the middle of the eyes to the middle of the mouth, so that a tilted head has the
    pose of an upright one. Its length hardly changes with yaw; the distance of the eyes shrinks to nothing.
    """
    axis = mouth - eyes
    if not axis:  # the detector put them on one point
        return 0.0, 0.0
    # Along the axis: real; to its left, which is the viewer's right in an upright face: imaginary and negative.
    shift = (nose - eyes) / axis
    return _within_one(-shift.imag), _within_one(_FRONTAL_NOSE - shift.real)


def _within_one(share: float) -> float:
    return min(1.0, max(-1.0, share))
