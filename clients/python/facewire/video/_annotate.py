"""Results painted onto pictures."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire._values.enums import Outcome
from facewire._values.faces import Box, Face
from facewire._values.pictures import Picture
from facewire.video._decoded import decoded

__all__ = ["annotate"]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GREEN, _AMBER, _GRAY = (40, 167, 69), (240, 173, 20), (200, 200, 200)
_COLORS = {Outcome.KNOWN: _GREEN, Outcome.AMBIGUOUS: _AMBER}
_DARK = (20, 20, 20)
"""Colors of boxes and labels, and of the text in them (RGB). Chosen, not measured."""


class _Rectangle(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: "_Rectangle") -> bool:
        return (
            self.left < other.right and other.left < self.right
            and self.top < other.bottom and other.top < self.bottom
        )  # fmt: skip


def annotate(
    picture: Picture, faces: Iterable[Face], *, rotation_degrees: int = 0
) -> NDArray[np.uint8]:
    """Paints a box around each face, with the name and the similarity.

    Known faces are green, ambiguous ones amber, all others gray and labeled by their
    outcome. Labels grow with the picture, stay within it, and do not overlap if there is
    room. OpenCV 5 paints names of any script; older ones only ASCII.

    Args:
        picture: the picture that was recognized.
        faces: the faces of its result.
        rotation_degrees: of the stream that it was sent in; 0, 90, 180 or 270.

    Returns:
        (height, width, 3) uint8 RGB: a copy, upright (EXIF orientation and rotation applied).

    Raises:
        ValueError: the picture cannot be decoded.
        OSError: a path that cannot be read.
    """
    painted = np.ascontiguousarray(np.rot90(decoded(picture), -rotation_degrees // 90))
    height, width = painted.shape[:2]
    thickness = max(1, round(min(height, width) / 300))
    scale = max(0.4, min(height, width) / 900)
    placed: list[_Rectangle] = []
    # The smallest last: a face in front of another is painted over it.
    for face in sorted(faces, key=lambda face: -face.box.width_px * face.box.height_px):
        box = _rectangle(face.box)
        color = _COLORS.get(_outcome(face), _GRAY)
        cv2.rectangle(painted, box[:2], box[2:], _DARK, thickness + 2, cv2.LINE_AA)
        cv2.rectangle(painted, box[:2], box[2:], color, thickness, cv2.LINE_AA)
        _paint_label(painted, _label(face), box, color, scale, placed)
    return painted


def _paint_label(
    painted: NDArray[np.uint8],
    text: str,
    box: _Rectangle,
    color: tuple[int, int, int],
    scale: float,
    placed: list[_Rectangle],
) -> None:
    weight = max(1, round(scale * 1.5))
    (width, ascent), descent = cv2.getTextSize(text, _FONT, scale, weight)
    pad = max(2, round(4 * scale))
    size = width + 2 * pad, ascent + descent + 2 * pad
    spot = _spot(size, box, painted.shape, placed)
    placed.append(spot)
    cv2.rectangle(painted, spot[:2], spot[2:], color, cv2.FILLED)
    origin = spot.left + pad, spot.bottom - pad - descent
    cv2.putText(painted, text, origin, _FONT, scale, _DARK, weight, cv2.LINE_AA)


def _spot(
    size: tuple[int, int], box: _Rectangle, shape: Any, placed: list[_Rectangle]
) -> _Rectangle:
    """Returns the first place that is free and in the picture: above the box, below it, or inside."""
    width, height = size
    left = max(0, min(box.left, shape[1] - width))
    tops = [box.top - height, box.bottom, box.top, box.bottom - height]
    spots = [_Rectangle(left, top, left + width, top + height) for top in tops]
    inside = [spot for spot in spots if spot.top >= 0 and spot.bottom <= shape[0]]
    free = [spot for spot in inside if not any(map(spot.overlaps, placed))]
    return (free or inside or [_Rectangle(left, 0, left + width, height)])[0]


def _label(face: Face) -> str:
    similarity = f" {face.decision.similarity:.2f}" if face.known else ""
    return f"{face.label}{similarity}"


def _outcome(face: Face) -> Outcome:
    return face.decision.outcome


def _rectangle(box: Box) -> _Rectangle:
    left, top = round(box.x_px), round(box.y_px)
    return _Rectangle(left, top, left + round(box.width_px), top + round(box.height_px))
