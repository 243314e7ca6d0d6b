"""Pictures of ever other sizes in every format, as a collection of photos or a client that crops sends them."""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire.v1 import face_pb2

__all__ = ["FORMATS", "varied"]

_LEAST_PX: Final = 40
_MOST_PX: Final = (960, 720)
"""Shortest side, and longest width and height, pixels: the range of canvases is the same for larger ones, which take longer to decode.
Chosen, not measured."""

_FILES: Final = {
    face_pb2.IMAGE_FORMAT_JPEG: ".jpg",
    face_pb2.IMAGE_FORMAT_PNG: ".png",
    face_pb2.IMAGE_FORMAT_WEBP: ".webp",
    face_pb2.IMAGE_FORMAT_BMP: ".bmp",
    face_pb2.IMAGE_FORMAT_GIF: ".gif",
}
_RAW: Final = (
    face_pb2.IMAGE_FORMAT_RGB8,
    face_pb2.IMAGE_FORMAT_BGR8,
    face_pb2.IMAGE_FORMAT_BGRA8,
    face_pb2.IMAGE_FORMAT_GRAY8,
    face_pb2.IMAGE_FORMAT_NV12,
    face_pb2.IMAGE_FORMAT_I420,
)
FORMATS: Final = (*_FILES, *_RAW)
"""The formats of the pictures; AVIF takes seconds to write."""


def varied(bases: Sequence[NDArray[np.uint8]], count: int, seed: int) -> Iterator[face_pb2.Image]:
    """Yields pictures, each a base at a random size in a random format.

    Args:
        bases: (h, w, 3) uint8 BGR, with and without faces.
        count: of pictures.
        seed: of sizes and formats.
    """
    random = np.random.default_rng(seed)
    for _ in range(count):
        base = bases[int(random.integers(len(bases)))]
        width, height = (int(random.integers(_LEAST_PX, most + 1)) & ~1 for most in _MOST_PX)
        picture = np.asarray(cv2.resize(base, (width, height)), np.uint8)
        yield _encoded(picture, FORMATS[int(random.integers(len(FORMATS)))])


def _encoded(bgr: NDArray[np.uint8], layout: face_pb2.ImageFormat) -> face_pb2.Image:
    if layout in _FILES:
        data = cv2.imencode(_FILES[layout], bgr)[1].tobytes()
        return face_pb2.Image(data=data, format=layout)
    height, width = bgr.shape[:2]
    return face_pb2.Image(data=_raw(bgr, layout), format=layout, width_px=width, height_px=height)


def _raw(bgr: NDArray[np.uint8], layout: face_pb2.ImageFormat) -> bytes:
    if layout == face_pb2.IMAGE_FORMAT_BGR8:
        return bgr.tobytes()
    if layout == face_pb2.IMAGE_FORMAT_RGB8:
        return bgr[..., ::-1].tobytes()
    if layout == face_pb2.IMAGE_FORMAT_BGRA8:
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA).tobytes()
    if layout == face_pb2.IMAGE_FORMAT_GRAY8:
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).tobytes()
    planes = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    if layout == face_pb2.IMAGE_FORMAT_I420:
        return planes.tobytes()
    height = bgr.shape[0]
    chroma = planes[height:].reshape(2, -1)  # all U, then all V; NV12 takes them in turn
    return planes[:height].tobytes() + chroma.T.tobytes()
