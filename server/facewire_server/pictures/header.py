"""Walks a picture before anything is allocated for it, and holds its size against the limits.

A file of a few kilobytes can declare a picture of gigabytes (a decompression bomb), and decoders
allocate what a file declares. So everything that a file announces is checked here before a decoder sees it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from facewire_server.errors import EmptyImage, TooManyBytes, TooManyPixels, UndecodableImage
from facewire_server.pictures.avif import walk_avif
from facewire_server.pictures.bmp import walk_bmp
from facewire_server.pictures.gif import walk_gif
from facewire_server.pictures.jpeg import walk_jpeg
from facewire_server.pictures.png import walk_png
from facewire_server.pictures.raw import RAW_FORMATS, raw_header
from facewire_server.pictures.sniff import sniff
from facewire_server.pictures.walked import CheckSize, Walked
from facewire_server.pictures.webp import walk_webp
from facewire_server.types import Header, Picture, PictureFormat, PictureLimits

__all__ = ["read_header"]

_WALKS: Final[Mapping[PictureFormat, Callable[[bytes, CheckSize], Walked]]] = {
    PictureFormat.JPEG: walk_jpeg,
    PictureFormat.PNG: walk_png,
    PictureFormat.WEBP: walk_webp,
    PictureFormat.BMP: walk_bmp,
    PictureFormat.GIF: walk_gif,
    PictureFormat.AVIF: walk_avif,
}


def read_header(picture: Picture, limits: PictureLimits) -> Header:
    """Walks a picture and checks it against the limits.

    It takes up to a tenth of the time of decoding.

    Raises:
        EmptyImage: no bytes.
        TooManyBytes, TooManyPixels: over a limit.
        UndecodableImage: not a picture of a known format, not of its declared format, cut short or damaged.
        ImageLayout: a raw picture whose size, strides and bytes disagree.
    """
    if not picture.data:
        raise EmptyImage("the picture has no bytes")
    if len(picture.data) > limits.max_frame_bytes:
        raise TooManyBytes(
            f"the picture has {len(picture.data)} bytes; at most {limits.max_frame_bytes} are accepted"
        )
    if picture.format in RAW_FORMATS:
        header = raw_header(picture)
        _check_pixels(header.width_px, header.height_px, limits)
        return header
    return _encoded(picture, limits)


def _encoded(picture: Picture, limits: PictureLimits) -> Header:
    found = sniff(picture.data)
    if picture.format not in (PictureFormat.SNIFF, found):
        raise UndecodableImage(
            f"the picture is declared as {picture.format.value}, but is a {found.value} picture"
        )

    def check_size(width_px: int, height_px: int) -> None:
        if width_px == 0 or height_px == 0:
            raise UndecodableImage(f"the {found.value} picture has no pixels")
        _check_pixels(width_px, height_px, limits)

    walked = _WALKS[found](picture.data, check_size)
    return Header(
        found,
        walked.width_px,
        walked.height_px,
        file=walked.file,
        orientation=walked.orientation,
        passes=walked.passes,
        is_cut=walked.is_cut,
        remark=walked.remark,
    )


def _check_pixels(width_px: int, height_px: int, limits: PictureLimits) -> None:
    if width_px * height_px > limits.max_pixels:
        raise TooManyPixels(
            f"the picture has {width_px}x{height_px} pixels; at most {limits.max_pixels} are decoded"
        )
