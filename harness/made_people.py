"""People of made films: looks that are cut out of pictures, and two people made of one portrait that anybody has."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

__all__ = ["Box", "Person", "cut_out", "made_pair", "portrait_of"]

Pixels = NDArray[np.uint8]

_REACH: Final = 1.9
"""Half sides of the ellipse that is cut out, in half sides of the face's box: hair and chin are in it. Chosen, not measured."""

_SOFT: Final = 0.15
"""Width of the ellipse's soft edge, in its half sides. Chosen, not measured: a hard edge is a line that no head has."""

_BULGE: Final = -0.6
"""How far the portrait's middle is enlarged for one of the pair. The two have a similarity of 0.2, as strangers have."""

_PINCH: Final = 0.9
"""How far it is reduced for the other one."""

_REACH_PX: Final = 120
"""Radius of what is enlarged or reduced, pixels: the portrait's face and hair."""


class Box(NamedTuple):
    """A face's place: its middle and its sides, pixels."""

    x: float
    y: float
    width: float
    height: float

    def scaled(self, factor: float) -> "Box":
        """Returns the box of a picture that is `factor` times as large."""
        return Box(*(side * factor for side in self))


class Person(NamedTuple):
    """A person who can be put into a film.

    Attributes:
        name: also the identity id, if the person is enrolled.
        looks: (h, w, 4) uint8 BGRA each, all of one size: the head at successive moments, 30 a second.
        box: the face in each look.
    """

    name: str
    looks: Sequence[Pixels]
    box: Box


def cut_out(picture: Pixels, box: Box) -> Pixels:
    """Returns (h, w, 4) uint8 BGRA: a picture with an ellipse around a face, softly opaque."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot((x - box.x) / (_REACH * box.width / 2), (y - box.y) / (_REACH * box.height / 2))
    opaque = np.clip((1 - far) / _SOFT, 0, 1) * 255
    return np.dstack([picture, opaque.astype(np.uint8)])


def made_pair() -> tuple[Person, Person]:
    """Returns two people who are made of Eileen Collins's portrait (NASA, in the public domain): strangers to each other."""
    portrait = np.ascontiguousarray(data.astronaut()[:256, 96:352, ::-1])
    round_ = _warped(portrait, _BULGE), Box(126, 117, 118, 150)
    narrow = _warped(portrait, _PINCH), Box(126.5, 114, 57, 74)
    pair = [
        Person(name, [cut_out(picture, box)], box)
        for name, (picture, box) in (("round", round_), ("narrow", narrow))
    ]
    return pair[0], pair[1]


def portrait_of(person: Person, index: int = 0) -> bytes:
    """Returns a JPEG of a person on gray, 120 px wide at the face, to be enrolled."""
    look = person.looks[index]
    opaque = look[..., 3:].astype(np.float32) / 255
    picture = look[..., :3] * opaque + 128 * (1 - opaque)
    scale = 120 / person.box.width
    larger = cv2.resize(picture.astype(np.uint8), None, fx=scale, fy=scale)
    return cv2.imencode(".jpg", larger, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def _warped(portrait: Pixels, strength: float) -> Pixels:
    """Returns a portrait with its middle enlarged (< 0) or reduced (> 0)."""
    x0, y0 = 128.0, 110.0
    y, x = np.mgrid[0 : portrait.shape[0], 0 : portrait.shape[1]].astype(np.float32)
    dx, dy = x - x0, y - y0
    near = np.clip(1 - np.hypot(dx, dy) / _REACH_PX, 0, 1) ** 2
    factor = 1 + strength * near
    return np.asarray(
        cv2.remap(
            portrait,
            (x0 + dx * factor).astype(np.float32),
            (y0 + dy * factor).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.uint8,
    )
