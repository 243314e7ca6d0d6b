"""Pictures as old cameras send them: base64 of pixels with their shape, or of a JPEG. Sizes are known before anything is decoded."""

import base64
import binascii
import re
from array import array
from typing import Any, Final

from facewire import Image, ImageFormat

__all__ = ["MAX_BASE64_BYTES", "NotAPicture", "picture_of"]

_MAX_PIXELS: Final = 1920 * 1088
"""Pixels of a raw picture: those of the cameras, as their firmware rounds them. Larger ones are sent as JPEG."""

_SHAPE: Final = re.compile(
    r"[(\[]\s*(\d{1,5})\s*,\s*(\d{1,5})\s*(?:,\s*(\d)\s*,?\s*)?[)\]]", re.ASCII
)
"""A tuple or list as Python writes it: height, width and, if there is one, channels."""

_FLOAT_BYTES: Final = 8
"""Bytes of a float64."""

MAX_BASE64_BYTES: Final = 4 * (_MAX_PIXELS * 3 * _FLOAT_BYTES) // 3
"""Bytes of the base64 of the largest raw picture: four for each three (RFC 4648)."""

_FORMATS: Final = {1: ImageFormat.GRAY8, 3: ImageFormat.RGB8}
"""Formats by the number of channels."""


class NotAPicture(Exception):
    """What was sent is not a picture of the shape that is stated; the text says why."""


def picture_of(image: Any, shape: Any) -> Image:
    """Decodes a picture; takes up to half a second, so not on an event loop.

    Args:
        image: base64 of uint8 or float64 pixels (0 to 255, red, green, blue), or of an encoded picture; or a
            list with one such text.
        shape: "(height, width, channels)", "(height, width)", or a list; not needed for an encoded picture.

    Raises:
        NotAPicture: its text says why.
    """
    if isinstance(image, list) and len(image) == 1:
        image = image[0]
    if not isinstance(image, str):
        raise NotAPicture("Image must be a base64 text")
    try:
        data = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        raise NotAPicture("Image is not base64") from None
    size = _size(shape)
    if size is not None:
        height, width, channels = size
        count = height * width * channels
        layout = _FORMATS.get(channels)
        if layout is not None and count and len(data) in (count, count * _FLOAT_BYTES):
            if height * width > _MAX_PIXELS:
                raise NotAPicture(f"raw pictures have at most {_MAX_PIXELS} pixels: send a JPEG")
            pixels = data if len(data) == count else _of_floats(data)
            return Image(pixels, format=layout, width_px=width, height_px=height)
    if data.startswith(b"\xff\xd8"):
        return Image(data)
    raise NotAPicture("Image has neither the bytes that Shape asks for, nor those of a JPEG")


def _size(shape: Any) -> tuple[int, int, int] | None:
    """Returns height, width and channels; None if no shape is stated."""
    found = _SHAPE.fullmatch(str(shape).strip()) if isinstance(shape, str | list) else None
    if found is None:
        return None
    height, width, channels = found.groups(default="1")
    return int(height), int(width), int(channels)


def _of_floats(data: bytes) -> bytes:
    values = array("d")
    values.frombytes(data)
    try:
        return bytes(map(int, values))
    except (ValueError, OverflowError):
        raise NotAPicture("pixels must be between 0 and 255") from None
