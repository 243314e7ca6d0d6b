"""Bytes of a picture to upright RGB pixels, at full size or reduced."""

import cv2
import numpy as np

from facewire_server.errors import UndecodableImage
from facewire_server.types import Header, Picture, PictureFormat, Rgb

__all__ = ["decode", "reduction"]

# libjpeg scales by these while it decodes, at a fraction of the cost of a full decode.
_JPEG_REDUCTIONS = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_COLOR_RGB,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_COLOR_RGB,
}


def reduction(header: Header, short_side_px: int) -> int:
    """The most that decoding may shrink the picture and leave its shorter side `short_side_px`.

    Returns:
        1, 2, 4 or 8; always 1 for what is not JPEG, where nothing is gained.
    """
    if header.format is not PictureFormat.JPEG:
        return 1
    short = min(header.width_px, header.height_px)
    return max((by for by in _JPEG_REDUCTIONS if short // by >= short_side_px), default=1)


def decode(picture: Picture, header: Header, reduced_by: int = 1) -> Rgb:
    """Decodes a picture and turns it upright.

    Args:
        picture: as it came.
        header: its header, as `read_header` gave it (which holds the limits).
        reduced_by: 1, or for a JPEG what `reduction` gave.

    Returns:
        (h, w, 3) uint8 RGB. EXIF orientation is applied, grey becomes three equal
        channels, alpha is dropped, 16 bits are cut to 8.

    Raises:
        UndecodableImage: cut short or damaged.
    """
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
        raise UndecodableImage(f"the {header.format.value} picture is not of the size that it says")
    return image.astype(np.uint8, copy=False)


def _raw(data: np.ndarray, header: Header) -> Rgb:
    width, height, stride = header.width_px, header.height_px, header.stride_bytes
    if header.format is PictureFormat.NV12:
        planes = _rows(data, height * 3 // 2, width, stride)
        return cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_NV12).astype(np.uint8, copy=False)
    if header.format is PictureFormat.GRAY8:
        grey = _rows(data, height, width, stride)
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
    pixels = _rows(data, height, width * 3, stride).reshape(height, width, 3)
    if header.format is PictureFormat.BGR8:
        pixels = pixels[..., ::-1]
    return np.ascontiguousarray(pixels)


def _rows(data: np.ndarray, rows: int, row_bytes: int, stride: int) -> np.ndarray:
    """The rows without what lies between them; the last row need not be padded."""
    view = np.lib.stride_tricks.as_strided(data, (rows, row_bytes), (stride, 1), writeable=False)
    return np.ascontiguousarray(view)
