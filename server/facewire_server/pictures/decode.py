"""Bytes of a picture to upright RGB pixels, at full size or reduced."""

from typing import Any, Final

import cv2
import numpy as np

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.bmp import unpack_bmp
from facewire_server.pictures.cut_jpeg import refuse_if_much_is_lost
from facewire_server.pictures.memory import lack_of_memory_named
from facewire_server.pictures.png_pixels import with_inflated_pixels
from facewire_server.pictures.raw import RAW_FORMATS, raw_pixels
from facewire_server.pictures.upright import rotated, upright
from facewire_server.types import Header, Picture, PictureFormat, Rgb

__all__ = ["decode", "reduction"]

_JPEG_REDUCTIONS: Final = {
    1: cv2.IMREAD_COLOR_RGB,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2 | cv2.IMREAD_COLOR_RGB,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4 | cv2.IMREAD_COLOR_RGB,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_COLOR_RGB,
}
"""The factors by which libjpeg scales down while it decodes, for a fraction of the cost of a full decode."""

_DECODING_BYTES: Final = {PictureFormat.GIF: 8, PictureFormat.AVIF: 17}
"""Most bytes a pixel that a decoder takes, its result included, if they are others than `_MOST_BYTES`. Measured, with 16 megapixels."""

_MOST_BYTES: Final = 6
"""The same for all other formats. Measured: the picture twice."""

_BYTES_IN_SCANS: Final = 9
"""The same for a JPEG of several scans, whose coefficients are kept. Measured."""


def reduction(header: Header, short_side_px: int) -> int:
    """Returns the largest factor by which decoding may shrink a picture.

    Args:
        header: the picture's.
        short_side_px: length that the shorter side must keep.

    Returns:
        1, 2, 4 or 8; always 1 for other formats than JPEG, and for a JPEG of several scans, which gain nothing.
    """
    if header.format is not PictureFormat.JPEG or header.passes > 1:
        return 1
    short = min(header.width_px, header.height_px)
    return max((by for by in _JPEG_REDUCTIONS if short // by >= short_side_px), default=1)


def decode(picture: Picture, header: Header, reduced_by: int = 1) -> Rgb:
    """Decodes a picture and turns it upright.

    Args:
        picture: not decoded yet.
        header: from `read_header`, which walked the picture and enforced the limits.
        reduced_by: 1, or for a JPEG a factor from `reduction`.

    Returns:
        (h, w, 3) uint8 RGB. EXIF orientation is applied, and then the picture's own rotation; gray
        becomes three equal channels, alpha is dropped, 16 bits are cut to 8, color profiles are ignored.

    Raises:
        UndecodableImage: damaged, or too much of it is missing; at full size only, for a JPEG without its end.
        OutOfMemory: there was no memory for its pixels.
    """
    with lack_of_memory_named(f"to decode {header.width_px}x{header.height_px} pixels"):
        try:
            return rotated(_upright(picture, header, reduced_by), picture.rotation_degrees)
        except cv2.error as error:
            if error.code == cv2.Error.STS_NO_MEM:
                raise
            raise _damaged(header) from None


def _upright(picture: Picture, header: Header, reduced_by: int) -> Rgb:
    """Returns the pixels as EXIF has them shown."""
    if header.format in RAW_FORMATS:
        return raw_pixels(picture.data, header)
    image = upright(_decoded(header, reduced_by), header.orientation)
    if header.is_cut and reduced_by == 1:
        refuse_if_much_is_lost(header.file, is_in_one_pass=header.passes == 1)
    return image


def _decoded(header: Header, reduced_by: int) -> Rgb:
    """Returns the stored pixels, not turned."""
    if header.format is PictureFormat.BMP:
        unpacked = unpack_bmp(header.file)
        if unpacked is not None:
            return unpacked
    is_png = header.format is PictureFormat.PNG
    file = with_inflated_pixels(header.file) if is_png else header.file
    flags = _JPEG_REDUCTIONS[reduced_by] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image: Any = cv2.imdecode(np.frombuffer(file, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.STS_NO_MEM:
            raise
        image = None
    if image is None:
        _try_memory(header, reduced_by)
        raise _damaged(header)
    height, width = (-(-side // reduced_by) for side in (header.height_px, header.width_px))
    if image.shape[:2] != (height, width):
        raise UndecodableImage(
            f"the {header.format.value} picture has another size than its header declares"
        )
    pixels: Rgb = image.astype(np.uint8, copy=False)
    return pixels


def _try_memory(header: Header, reduced_by: int) -> None:
    """Raises `MemoryError` if there is no memory for the picture: decoders say only that they failed.

    What is asked for is what its decoder takes: a damaged picture is not to be retried.
    """
    by_format = _DECODING_BYTES.get(header.format, _MOST_BYTES)
    pixel_bytes = _BYTES_IN_SCANS if header.passes > 1 else by_format
    np.empty(header.pixel_count * pixel_bytes // reduced_by**2, np.uint8)


def _damaged(header: Header) -> UndecodableImage:
    return UndecodableImage(f"the {header.format.value} picture is cut short or damaged")
