"""Clips in which one to three faces stay in the picture, at 720p and 1080p, and pictures without people, as JPEGs of quality 90."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from harness import pictures
from harness.film_scenes import steady
from harness.made_films import Film
from harness.made_people import made_pair

__all__ = ["Clip", "camera_clips", "drawn_clips", "lent_clips"]

Pixels = NDArray[np.uint8]

_MOST_FRAMES: Final = 120
_QUALITY: Final = 90
_HD: Final = (1280, 720)
_FULL_HD: Final = (1920, 1080)


class Clip(NamedTuple):
    """A clip that is played forth and back for as long as needed.

    Attributes:
        name: with its size.
        fps: as it was recorded.
        frames: JPEGs.
        has_aim: whether it is what the aims are about: one to three faces.
    """

    name: str
    fps: float
    frames: Sequence[bytes]
    has_aim: bool = True

    def frame(self, number: int) -> bytes:
        """Returns a frame of the endless clip."""
        last = len(self.frames) - 1
        index = number % (2 * last)
        return self.frames[index if index <= last else 2 * last - index]


def lent_clips() -> list[Clip]:
    """Returns real clips, and made ones of signers side by side.

    Raises:
        MissingPictures: the lent clips are absent.
    """
    folder = pictures.folder("video")
    signers = [sorted(path.iterdir())[0] for path in sorted((folder / "asl").iterdir())]
    street = folder / "street_1080p.mp4"
    return [
        Clip("woman, 720p, 1 face", 30, _encoded(_frames(folder / "woman_720p.mp4"))),
        Clip("two signers, 720p, 2 faces", 30, _side_by_side(signers[:2], _HD)),
        Clip("signer, 1080p, 1 face", 30, _side_by_side(signers[:1], _FULL_HD)),
        Clip("three signers, 1080p, 3 faces", 30, _side_by_side(signers, _FULL_HD)),
        Clip("street, 1080p, about 5 faces", 25, _encoded(_frames(street)), has_aim=False),
        Clip("no one, 1080p", 25, _encoded(_without_people(street)), has_aim=False),
    ]


def drawn_clips() -> list[Clip]:
    """Returns clips that need no lent picture: people of made films."""
    pair = made_pair()
    return [
        Clip("one drawn, 720p, 1 face", 30, _drawn(steady(pair[:1]), _HD)),
        Clip("two drawn, 1080p, 2 faces", 30, _drawn(steady(pair), _FULL_HD)),
        Clip("no one, 1080p", 30, _drawn(Film("no one", 4, ()), _FULL_HD), has_aim=False),
    ]


def camera_clips(height_px: int) -> list[Clip]:
    """Returns what cameras of a load see, of 16:9: one person and two, lent ones or, without these, drawn ones."""
    size_px = height_px * 16 // 9, height_px
    try:
        folder = pictures.folder("video")
    except pictures.MissingPictures:
        pair = made_pair()
        one, two = _drawn(steady(pair[:1]), size_px), _drawn(steady(pair), size_px)
        return [Clip("one drawn", 30, one), Clip("two drawn", 30, two)]
    woman = (_fitted(frame, *size_px) for frame in _frames(folder / "woman_720p.mp4"))
    signers = [sorted(path.iterdir())[0] for path in sorted((folder / "asl").iterdir())]
    return [
        Clip("woman, 1 face", 30, _encoded(woman)),
        Clip("two signers, 2 faces", 30, _side_by_side(signers[:2], size_px)),
    ]


def _drawn(film: Film, size_px: tuple[int, int]) -> list[bytes]:
    return [shot.jpeg for shot in film.shots(film.times(30)[:_MOST_FRAMES], size_px)]


def _frames(path: Path) -> Iterator[Pixels]:
    clip = cv2.VideoCapture(str(path))
    try:
        for _ in range(_MOST_FRAMES):
            found, picture = clip.read()
            if not found:
                return
            yield np.asarray(picture, np.uint8)
    finally:
        clip.release()


def _encoded(frames: Iterator[Pixels]) -> list[bytes]:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    return [cv2.imencode(".jpg", frame, quality)[1].tobytes() for frame in frames]


def _side_by_side(paths: Sequence[Path], size_px: tuple[int, int]) -> list[bytes]:
    """The clips next to each other, as large as they can be, until the shortest ends."""
    width, height = size_px
    return _encoded(
        _fitted(np.hstack([cv2.resize(one, (640, 480)) for one in together]), width, height)
        for together in zip(*map(_frames, paths), strict=False)
    )


def _fitted(picture: Pixels, width: int, height: int) -> Pixels:
    scale = min(width / picture.shape[1], height / picture.shape[0])
    fitted = cv2.resize(picture, None, fx=scale, fy=scale)
    rest_x, rest_y = width - fitted.shape[1], height - fitted.shape[0]
    left, top = rest_x // 2, rest_y // 2
    border = cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.copyMakeBorder(fitted, top, rest_y - top, left, rest_x - left, border), np.uint8
    )


def _without_people(street: Path) -> Iterator[Pixels]:
    """The upper part of a street, where the sky is: real noise and a camera that moves."""
    for frame in _frames(street):
        yield np.asarray(cv2.resize(frame[:450, :800], _FULL_HD), np.uint8)
