"""Finds the pictures of the measurements, and encodes them as frames."""

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np

from harness import REPOSITORY

__all__ = [
    "MissingPictures",
    "as_jpeg",
    "evenly",
    "folder",
    "rows",
    "sendable",
    "size_of",
    "video_frames",
]

_SHARED: Final = Path(os.environ.get("FACEWIRE_SHARED", REPOSITORY.parent / "shared" / "data"))
_JPEG_QUALITY: Final = 90

T = TypeVar("T")


class MissingPictures(Exception):
    """Pictures that a measurement needs are not on this machine; the text names them."""


def folder(name: str) -> Path:
    """Returns the path of one folder of the lent pictures ("verify", "groups", ...).

    Raises:
        MissingPictures: the folder does not exist.
    """
    path = _SHARED / name
    if not path.is_dir():
        raise MissingPictures(
            f"this measurement needs the folder {name!r} of the lent pictures, which are not part "
            "of this repository; set FACEWIRE_SHARED to their folder"
        )
    return path


def rows(table: Path) -> list[dict[str, str]]:
    """Reads the rows of a CSV file with a header."""
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def evenly(items: Sequence[T], count: int) -> list[T]:
    """Returns at most `count` items, spread evenly over all; 0 = all."""
    if not count or count >= len(items):
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]


def sendable(path: Path) -> bytes:
    """Returns the bytes of a picture's file, converted to PNG if the contract does not take its format."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG")) or data[8:12] == b"WEBP":
        return data
    return cv2.imencode(".png", _read(path))[1].tobytes()


def as_jpeg(path: Path) -> bytes:
    """Returns a picture as a JPEG of quality 90, whatever its file's format."""
    return _encoded(_read(path))


def size_of(data: bytes) -> tuple[int, int]:
    """Returns height and width of an encoded picture, pixels."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise MissingPictures("a picture cannot be decoded")
    height, width = image.shape[:2]
    return height, width


def video_frames(path: Path) -> Iterator[bytes]:
    """Yields the frames of a clip, each as a JPEG of quality 90."""
    clip = cv2.VideoCapture(str(path))
    try:
        while True:
            found, image = clip.read()
            if not found:
                return
            yield _encoded(image)
    finally:
        clip.release()


def _read(path: Path) -> cv2.typing.MatLike:
    image = cv2.imread(str(path))
    if image is None:
        raise MissingPictures(f"{path.name} cannot be read")
    return image


def _encoded(image: cv2.typing.MatLike) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
