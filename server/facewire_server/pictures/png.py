"""Walks a PNG from chunk to chunk (W3C PNG 3rd edition, sections 5, 11 and 13).

A reader allocates what a chunk's length announces, and inflates what the chunk holds. So each chunk must lie within the file,
and the decoder gets only those that make the still picture: no profile or text to inflate, and none of an animation.
"""

import struct
import zlib
from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.exif import UPRIGHT, orientation_of, orientation_of_text
from facewire_server.pictures.walked import CheckSize, Walked, cut_short, joined

__all__ = ["walk_png"]

_SIGNATURE_BYTES: Final = 8
"""Bytes before the first chunk (section 5.2)."""

_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

_PROFILES: Final = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})
"""Keywords of the text chunks in which ImageMagick wrote EXIF before PNG had a chunk for it."""

_MAX_CHUNKS: Final = 1 << 16
"""Chunks of a PNG. Chosen, not measured: 16 MiB in chunks of 8 KiB, as libpng writes them, are 2,048; Python walks as many as this
in 50 ms."""

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by color type (section 11.2.1)."""

_FREELY_INFLATED_BYTES: Final = 1 << 16
"""Bytes of compressed pixels that may be inflated unchecked: deflate expands at most 1,032 times, and libpng inflates what
follows the last pixel, too: 66 MB in 80 ms."""

_INFLATED_AT_ONCE: Final = 1 << 18
"""Bytes that the check inflates at once, which bounds its memory."""

_MAX_BEHIND_PIXELS: Final = 1 << 20
"""Bytes of compressed data behind the last pixel. Chosen, not measured: encoders write none."""


def walk_png(data: bytes, check_size: CheckSize) -> Walked:
    """Walks a PNG to its end.

    Raises:
        UndecodableImage: a chunk does not lie within the file, or the header is missing or cannot be.
    """
    width_px, height_px, scanline_bytes = _header(data)
    check_size(width_px, height_px)
    parts, pixels, orientation, at = [(0, _SIGNATURE_BYTES)], [], UPRIGHT, _SIGNATURE_BYTES
    profile = UPRIGHT
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            raise cut_short("PNG")
        length, kind = struct.unpack_from(">I4s", data, at)
        begin, end = at + 8, at + 12 + length
        if end > len(data):
            raise cut_short("PNG")
        if kind in _KEPT:
            parts.append((at, end))
        if kind == b"IDAT":
            pixels.append((begin, end - 4))
        elif kind == b"eXIf":
            orientation = orientation_of(data[begin : end - 4])
        elif kind in (b"tEXt", b"zTXt") and profile == UPRIGHT:
            profile = _profile(data[begin : end - 4], is_compressed=kind == b"zTXt")
        elif kind == b"IEND":
            break
        at = end
    else:
        raise UndecodableImage(f"the PNG picture has more than {_MAX_CHUNKS} chunks")
    _refuse_bomb(data, pixels, scanline_bytes * height_px)
    return Walked(
        width_px,
        height_px,
        joined(data, parts),
        profile if orientation == UPRIGHT else orientation,
    )


def _header(data: bytes) -> tuple[int, int, int]:
    """Returns width, height, and the most bytes of a row with its filter's byte."""
    if len(data) < _SIGNATURE_BYTES + 8 + 13 + 4:
        raise cut_short("PNG")
    length, kind, width, height, bits, color = struct.unpack_from(">I4sIIBB", data, 8)
    if kind == b"CgBI":
        raise UndecodableImage(
            "the PNG picture is in Apple's own form (CgBI), which is not read; save it as an ordinary PNG"
        )
    if kind != b"IHDR" or length != 13:
        raise UndecodableImage("the PNG picture has no header")
    # Interlacing adds at most one filter byte for each of 7 passes a row.
    return width, height, (width * bits * _CHANNELS.get(color, 4) + 7) // 8 + 7


def _profile(text: bytes, *, is_compressed: bool) -> int:
    keyword, _, rest = text.partition(b"\0")
    if keyword not in _PROFILES:
        return UPRIGHT
    # zTXt has the number of its method first, which is always 0: deflate.
    return orientation_of_text(rest[1:] if is_compressed else rest, is_compressed=is_compressed)


def _refuse_bomb(data: bytes, pixels: list[tuple[int, int]], pixel_bytes: int) -> None:
    """Raises if much is inflated behind the last pixel: 2 MB of file cost 2.5 s of processor that way."""
    if sum(last - first for first, last in pixels) <= _FREELY_INFLATED_BYTES:
        return
    inflating, left = zlib.decompressobj(), pixel_bytes + _MAX_BEHIND_PIXELS
    try:
        for first, last in pixels:
            waiting = data[first:last]
            while waiting and not inflating.eof:
                left -= len(inflating.decompress(waiting, _INFLATED_AT_ONCE))
                if left < 0:
                    raise UndecodableImage(
                        "the PNG picture is damaged: it has more data than pixels"
                    )
                waiting = inflating.unconsumed_tail
    except zlib.error:
        return  # the decoder stops there as well
