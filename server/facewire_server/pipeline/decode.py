"""Bytes of a picture to upright RGB pixels, at full size or reduced."""

from typing import Final

import cv2
import numpy as np

from facewire_server.errors import UndecodableImage
from facewire_server.types import Header, Picture, PictureFormat, Rgb

__all__ = ["decode", "reduction"]

_JPEG_REDUCTIONS: Final = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_COLOR_RGB,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_COLOR_RGB,
}
"""The factors by which libjpeg scales down while it decodes, for a fraction of the cost of a full decode."""


def reduction(header: Header, short_side_px: int) -> int:
    """Returns the largest factor by which decoding may shrink a picture.

    Args:
        header: the picture's.
        short_side_px: length that the shorter side must keep.

    Returns:
        1, 2, 4 or 8; always 1 for other formats than JPEG, which gain nothing.
    """
    if header.format is not PictureFormat.JPEG:
        return 1
    short = min(header.width_px, header.height_px)
    return max((by for by in _JPEG_REDUCTIONS if short // by >= short_side_px), default=1)


_ROTATIONS: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""OpenCV's names of the clockwise turns, by degrees."""


def decode(picture: Picture, header: Header, reduced_by: int = 1) -> Rgb:
    """Decodes a picture and turns it upright.

    Args:
        picture: not decoded yet.
        header: from `read_header`, which enforces the limits.
        reduced_by: 1, or for a JPEG a factor from `reduction`.

    Returns:
        (h, w, 3) uint8 RGB. EXIF orientation is applied, and then the picture's own rotation; gray
        becomes three equal channels, alpha is dropped, 16 bits are cut to 8.

    Raises:
        UndecodableImage: cut short or damaged.
    """
    image = _decoded(picture, header, reduced_by)
    if picture.rotation_degrees:
        image = cv2.rotate(image, _ROTATIONS[picture.rotation_degrees]).astype(np.uint8, copy=False)
    return image


def _decoded(picture: Picture, header: Header, reduced_by: int) -> Rgb:
    data = np.frombuffer(picture.data, np.uint8)
    if header.stride_bytes:
        return _raw(data, header)
    try:
        image = cv2.imdecode(data, _JPEG_REDUCTIONS[reduced_by])
    except cv2.error:
        image = None
    if image is None:
        raise UndecodableImage(f"the {header.format.value} picture is cut short or damaged")
    if image.shape[0] * image.shape[1] > header.pixel_count:
        raise UndecodableImage(
            f"the {header.format.value} picture has another size than its header declares"
        )
    return image.astype(np.uint8, copy=False)


def _raw(data: np.ndarray, header: Header) -> Rgb:
    width, height, stride = header.width_px, header.height_px, header.stride_bytes
    if header.format is PictureFormat.NV12:
        planes = _rows(data, height * 3 // 2, width, stride)
        return cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_NV12).astype(np.uint8, copy=False)
    if header.format is PictureFormat.GRAY8:
        gray = _rows(data, height, width, stride)
        return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    pixels = _rows(data, height, width * 3, stride).reshape(height, width, 3)
    if header.format is PictureFormat.BGR8:
        pixels = pixels[..., ::-1]
    return np.ascontiguousarray(pixels)


def _rows(data: np.ndarray, rows: int, row_bytes: int, stride: int) -> np.ndarray:
    """Returns the rows without the padding between them; the last row need not be padded."""
    view = np.lib.stride_tricks.as_strided(data, (rows, row_bytes), (stride, 1), writeable=False)
    return np.ascontiguousarray(view)
