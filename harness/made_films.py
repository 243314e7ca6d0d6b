"""Draws films of known truth: people on their paths before a background, as JPEGs and as boxes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from harness.made_people import Box, Person

__all__ = ["FACE_PX", "SIZE_PX", "Film", "Path", "Place", "Shot", "Visible", "thinned"]

Pixels = NDArray[np.uint8]
Path = Callable[[float], "Place | None"]
"""From seconds to a place; None while the person is away."""

SIZE_PX: Final = (640, 480)
"""Width and height of the films."""

FACE_PX: Final = 90.0
"""Width of a face at its usual distance. Chosen, not measured."""

_LOOKS_PER_S: Final = 30.0
_NOISE_LEVELS: Final = 5
"""A sensor's noise: uniform, of this number of gray levels. Chosen, not measured."""

_NOISES: Final = 7
"""Pictures of noise that follow each other."""

_JPEG_QUALITY: Final = 90


class Place(NamedTuple):
    """Where a face is: its middle and its width in pixels, and how it is turned."""

    x: float
    y: float
    width: float = FACE_PX
    roll_degrees: float = 0.0


class Visible(NamedTuple):
    """A face of a shot: whose, where, and the share of its box that nothing nearer covers."""

    name: str
    box: Box
    share: float


class Shot(NamedTuple):
    """One frame: seconds from the film's begin, the picture as a JPEG, and the faces in it."""

    at_s: float
    jpeg: bytes
    faces: tuple[Visible, ...]


@dataclass(frozen=True)
class Film:
    """People on their paths before a background.

    Attributes:
        name: for people who read results.
        until_s: its length.
        people: with their paths, the farthest first; a path returns None while its person is away.
        thing: the box of a thing before all of them, or None.
        cut_at_s: when the background changes; 0 = never.
        sparse: begin and end of the time in which a frame comes only every `sparse_s`.
        sparse_s: seconds.
    """

    name: str
    until_s: float
    people: tuple[tuple[Person, Path], ...]
    thing: Box | None = None
    cut_at_s: float = 0.0
    sparse: tuple[float, float] = (0.0, 0.0)
    sparse_s: float = 5.0

    def times(self, fps: float) -> list[float]:
        """Returns the times of its frames, seconds."""
        found, at_s = [], 0.0
        while at_s < self.until_s:
            found.append(at_s)
            at_s += self.sparse_s if self.sparse[0] <= at_s < self.sparse[1] else 1 / fps
        return found

    def shots(self, times: Sequence[float], size_px: tuple[int, int] = SIZE_PX) -> Iterator[Shot]:
        """Yields its frames at some times; people scale with the height."""
        scale = size_px[1] / SIZE_PX[1]
        backgrounds, noises = _backgrounds(size_px), _noises(size_px)
        for number, at_s in enumerate(times):
            picture = backgrounds[bool(self.cut_at_s and at_s >= self.cut_at_s)].copy()
            shown: list[tuple[str, Box]] = []
            for person, path in self.people:
                if (place := path(at_s)) is None:
                    continue
                place = Place(place.x * scale, place.y * scale, place.width * scale, place[3])
                look = person.looks[int(at_s * _LOOKS_PER_S) % len(person.looks)]
                _paste(picture, look, person.box, place)
                shown.append((person.name, _box(person.box, place)))
            if self.thing is not None:
                _draw(picture, self.thing.scaled(scale))
            picture = np.asarray(cv2.add(picture, noises[number % _NOISES]), np.uint8)
            yield Shot(at_s, _jpeg(picture), self._visible(shown, scale))

    def _visible(self, shown: list[tuple[str, Box]], scale: float) -> tuple[Visible, ...]:
        faces: list[Visible] = []
        nearer = [] if self.thing is None else [self.thing.scaled(scale)]
        for name, box in reversed(shown):
            share = 1 - max((_covered(box, by) for by in nearer), default=0.0)
            faces.append(Visible(name, box, share))
            nearer.append(box)
        return tuple(faces)


def thinned(times: Sequence[float], seed: int) -> list[float]:
    """Drops a third of the times at random."""
    kept = np.random.default_rng(seed).random(len(times)) >= 1 / 3
    return [at_s for at_s, is_kept in zip(times, kept, strict=True) if is_kept]


def _box(own: Box, place: Place) -> Box:
    return Box(place.x, place.y, place.width, own.height * place.width / own.width)


def _covered(box: Box, by: Box) -> float:
    """Returns the share of a box that another one covers."""
    sides = [
        max(0.0, min(at + side / 2, of + wide / 2) - max(at - side / 2, of - wide / 2))
        for at, side, of, wide in (
            (box.x, box.width, by.x, by.width),
            (box.y, box.height, by.y, by.height),
        )
    ]
    return sides[0] * sides[1] / (box.width * box.height)


def _paste(picture: Pixels, look: Pixels, own: Box, place: Place) -> None:
    """Puts a look into a picture, its face at a place."""
    scale = place.width / own.width
    turn = cv2.getRotationMatrix2D((own.x, own.y), place.roll_degrees, scale)
    reach = int(scale * max(look.shape[:2]))
    left, top = max(0, int(place.x) - reach), max(0, int(place.y) - reach)
    right, bottom = int(place.x) + reach, int(place.y) + reach
    target = picture[top : max(0, bottom), left : max(0, right)]
    if not target.size:
        return
    turn[0, 2] += place.x - own.x - left
    turn[1, 2] += place.y - own.y - top
    turned = cv2.warpAffine(look, turn, target.shape[1::-1])
    opaque = turned[..., 3:].astype(np.float32) / 255
    target[:] = (turned[..., :3] * opaque + target * (1 - opaque)).astype(np.uint8)


def _draw(picture: Pixels, thing: Box) -> None:
    left, right = int(thing.x - thing.width / 2), int(thing.x + thing.width / 2)
    top, bottom = int(thing.y - thing.height / 2), int(thing.y + thing.height / 2)
    picture[max(0, top) : bottom, max(0, left) : right] = (70, 90, 80)


def _backgrounds(size_px: tuple[int, int]) -> tuple[Pixels, Pixels]:
    found = []
    for texture, color in ((data.brick(), (0.5, 0.5, 0.6)), (data.grass(), (0.3, 0.4, 0.3))):
        large = cv2.GaussianBlur(cv2.resize(texture, size_px), (0, 0), 2)
        found.append((large[..., None] * np.array(color)).astype(np.uint8))
    return found[0], found[1]


def _noises(size_px: tuple[int, int]) -> list[Pixels]:
    drawn = np.random.default_rng(0)
    shape = (size_px[1], size_px[0], 3)
    return [drawn.integers(0, _NOISE_LEVELS, shape, np.uint8) for _ in range(_NOISES)]


def _jpeg(picture: Pixels) -> bytes:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    return cv2.imencode(".jpg", picture, quality)[1].tobytes()
