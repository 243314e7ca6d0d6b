"""Results painted onto pictures."""

from collections.abc import Iterable, Sequence
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
_DARK, _WHITE = (20, 20, 20), (255, 255, 255)
"""Colors of boxes and labels, of the text in them, and of the threshold in a bar (RGB). Chosen, not measured."""

_REASON_SCALE = 0.75
"""Size of a reason's letters to that of the name above it. Chosen, not measured."""

_BAR_EM = 0.6
"""Height of a bar to that of capital letters. Chosen, not measured."""


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


class _Line(NamedTuple):
    """A line of text, measured: pixels."""

    text: str
    scale: float
    weight: int
    width: int
    ascent: int
    descent: int


def annotate(
    picture: Picture,
    faces: Iterable[Face],
    *,
    rotation_degrees: int = 0,
    reasons: Sequence[str] = (),
) -> NDArray[np.uint8]:
    """Paints a box around each face, with the name and the similarity.

    Known faces are green, ambiguous ones amber, all others gray and labeled by their
    outcome. Labels grow with the picture, stay within it, and do not overlap if there is
    room. OpenCV 5 paints names of any script; older ones only ASCII.

    Args:
        picture: the picture that was recognized.
        faces: the faces of its result.
        rotation_degrees: of the stream that it was sent in; 0, 90, 180 or 270.
        reasons: one for each face, painted below its name with a bar from 0 to 1 of the similarity, in which a white
            line is the threshold; a face that was not compared has no bar. Empty: none is painted.

    Returns:
        (height, width, 3) uint8 RGB: a copy, upright (EXIF orientation and rotation applied).

    Raises:
        ValueError: the picture cannot be decoded, or there is not one reason for each face.
        OSError: a path that cannot be read.
    """
    painted = np.ascontiguousarray(np.rot90(decoded(picture), -rotation_degrees // 90))
    height, width = painted.shape[:2]
    thickness = max(1, round(min(height, width) / 300))
    scale = max(0.4, min(height, width) / 900)
    placed: list[_Rectangle] = []
    faces = list(faces)
    explained = list(zip(faces, reasons or [""] * len(faces), strict=True))
    # The smallest last: a face in front of another is painted over it.
    for face, reason in sorted(explained, key=lambda each: -_area(each[0].box)):
        box = _rectangle(face.box)
        color = _COLORS.get(_outcome(face), _GRAY)
        cv2.rectangle(painted, box[:2], box[2:], _DARK, thickness + 2, cv2.LINE_AA)
        cv2.rectangle(painted, box[:2], box[2:], color, thickness, cv2.LINE_AA)
        _paint_label(painted, face, reason, box, color, scale, placed)
    return painted


def _paint_label(
    painted: NDArray[np.uint8],
    face: Face,
    reason: str,
    box: _Rectangle,
    color: tuple[int, int, int],
    scale: float,
    placed: list[_Rectangle],
) -> None:
    lines = [_line(_label(face), scale)]
    pad = max(2, round(4 * scale))
    bar = 0
    if reason:
        lines.append(_line(reason, scale * _REASON_SCALE))
        bar = max(3, round(_BAR_EM * lines[0].ascent)) if _was_compared(face) else 0
    heights = [line.ascent + line.descent + pad for line in lines]
    bar_height = bar + pad if bar else 0
    size = max(line.width for line in lines) + 2 * pad, sum(heights) + bar_height + pad
    spot = _spot(size, box, painted.shape, placed)
    placed.append(spot)
    cv2.rectangle(painted, spot[:2], spot[2:], color, cv2.FILLED)
    top = spot.top
    for line, line_height in zip(lines, heights, strict=True):
        origin = spot.left + pad, top + pad + line.ascent
        cv2.putText(painted, line.text, origin, _FONT, line.scale, _DARK, line.weight, cv2.LINE_AA)
        top += line_height
    if bar:
        inside = _Rectangle(spot.left + pad, top + pad, spot.right - pad, top + pad + bar)
        _paint_bar(painted, face, inside)


def _paint_bar(painted: NDArray[np.uint8], face: Face, bar: _Rectangle) -> None:
    def across(similarity: float) -> int:
        return bar.left + round((bar.right - bar.left) * min(1.0, max(0.0, similarity)))

    cv2.rectangle(painted, bar[:2], bar[2:], _DARK, 1)
    reached = across(face.decision.similarity), bar.bottom
    cv2.rectangle(painted, bar[:2], reached, _DARK, cv2.FILLED)
    threshold = across(face.decision.threshold)
    cv2.line(painted, (threshold, bar.top - 1), (threshold, bar.bottom + 1), _WHITE, 2)


def _line(text: str, scale: float) -> _Line:
    weight = max(1, round(scale * 1.5))
    (width, ascent), descent = cv2.getTextSize(text, _FONT, scale, weight)
    return _Line(text, scale, weight, width, ascent, descent)


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


def _was_compared(face: Face) -> bool:
    return _outcome(face) is not Outcome.TOO_POOR and face.decision.threshold > 0


def _area(box: Box) -> float:
    return box.width_px * box.height_px


def _outcome(face: Face) -> Outcome:
    return face.decision.outcome


def _rectangle(box: Box) -> _Rectangle:
    left, top = round(box.x_px), round(box.y_px)
    return _Rectangle(left, top, left + round(box.width_px), top + round(box.height_px))
