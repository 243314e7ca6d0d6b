"""Walks a WebP from chunk to chunk (RFC 9649, section 2).

The decoder gets the chunks of a still picture only: its header, its alpha and its pixels.
"""

import struct
from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.exif import UPRIGHT, has_directory, orientation_of
from facewire_server.pictures.walked import CheckSize, Walked, cut_short

__all__ = ["walk_webp"]

_ANIMATED, _ALPHA = 0x02, 0x10
"""Flags of a VP8X chunk (RFC 9649, section 2.7)."""

_MAX_CHUNKS: Final = 256
"""Chunks of a WebP. Chosen, not measured: a still picture has six kinds, each once."""


def walk_webp(data: bytes, check_size: CheckSize) -> Walked:
    """Walks a WebP to its end.

    Raises:
        UndecodableImage: a chunk does not lie within the file, no still picture, or a canvas that is not the picture's.
    """
    (riff_length,) = _unpack("<I", data, 4)
    if riff_length + 8 > len(data):
        raise cut_short("WebP")
    if data[12:16] not in (b"VP8X", b"VP8L", b"VP8 "):
        raise UndecodableImage("the WebP picture has no header")
    canvas, flags, alpha, image = None, 0, b"", None
    orientation: int | None = None
    at, end_of_file = 12, riff_length + 8
    for _ in range(_MAX_CHUNKS):
        if at + 8 > end_of_file:
            break
        kind, (length,) = data[at : at + 4], _unpack("<I", data, at + 4)
        begin, end = at + 8, at + 8 + length
        if end > end_of_file:
            if image is not None:  # what follows the pixels is not needed
                break
            raise cut_short("WebP")
        if kind == b"VP8X":
            flags, canvas = _unpack("<B", data, begin)[0], _canvas(data, begin)
            if flags & _ANIMATED:
                raise UndecodableImage(
                    "the WebP picture is an animation, which is not read; send a still picture"
                )
            check_size(*canvas)
        elif kind == b"ALPH" and not alpha:
            alpha = _chunk(data, at, end)
        elif kind in (b"VP8 ", b"VP8L") and image is None:
            width_px, height_px = _size(kind, data, begin)
            check_size(width_px, height_px)
            image = _chunk(data, at, end)
        elif kind == b"EXIF" and orientation is None and has_directory(data[begin : begin + 10]):
            orientation = orientation_of(data[begin:end])
        at = end + (length & 1)
    if image is None:
        raise UndecodableImage("the WebP picture has no pixels")
    if canvas not in (None, (width_px, height_px)):
        raise UndecodableImage("the WebP picture has another size than its header declares")
    return Walked(width_px, height_px, _file(canvas, flags, alpha, image), orientation or UPRIGHT)


def _file(canvas: tuple[int, int] | None, flags: int, alpha: bytes, image: bytes) -> bytes:
    if canvas is None or not alpha:
        body = image
    else:
        sides = b"".join((side - 1).to_bytes(3, "little") for side in canvas)
        body = b"VP8X" + struct.pack("<IBxxx", 10, flags & _ALPHA) + sides + alpha + image
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunk(data: bytes, at: int, end: int) -> bytes:
    """Returns a chunk with its header, padded to an even number of bytes."""
    return data[at:end] + bytes((end - at) & 1)


def _canvas(data: bytes, at: int) -> tuple[int, int]:
    if at + 10 > len(data):
        raise cut_short("WebP")
    return (
        1 + int.from_bytes(data[at + 4 : at + 7], "little"),
        1 + int.from_bytes(data[at + 7 : at + 10], "little"),
    )


def _size(kind: bytes, data: bytes, at: int) -> tuple[int, int]:
    if kind == b"VP8L":  # RFC 9649, section 3.4: a byte of signature, then 14 bits each
        (bits,) = _unpack("<I", data, at + 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    # RFC 6386, section 9.1: frame tag and start code, then 14 bits each, and 2 of scaling for a player.
    width, height = _unpack("<HH", data, at + 6)
    return width & 0x3FFF, height & 0x3FFF


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, at)
    except struct.error:
        raise cut_short("WebP") from None
