"""Walks a PNG from chunk to chunk (W3C PNG 3rd edition, sections 5, 11 and 13).

A reader allocates what a chunk's length announces, and inflates what the chunk holds. So each chunk must lie within the file,
and the decoder gets only those that make the still picture: no profile or text to inflate, and none of an animation.
"""

import struct
from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.exif import (
    UPRIGHT,
    has_directory,
    orientation_of,
    orientation_of_text,
)
from facewire_server.pictures.walked import CheckSize, Walked, cut_short, joined

__all__ = ["walk_png"]

_SIGNATURE_BYTES: Final = 8
"""Bytes before the first chunk (section 5.2)."""

_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

_PROFILES: Final = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})
"""Keywords of the text chunks in which ImageMagick wrote EXIF before PNG had a chunk for it."""

_MAX_TEXT_BYTES: Final = 1 << 17
"""Bytes of a text chunk that are looked at. Chosen, not measured: more than what is read of a profile."""

_MAX_CHUNKS: Final = 1 << 16
"""Chunks of a PNG. Chosen, not measured: 16 MiB in chunks of 8 KiB, as libpng writes them, are 2,048; Python walks as many as this
in 50 ms."""


def walk_png(data: bytes, check_size: CheckSize) -> Walked:
    """Walks a PNG to its end.

    Raises:
        UndecodableImage: a chunk does not lie within the file, or the header is missing or cannot be.
    """
    width_px, height_px = _size(data)
    check_size(width_px, height_px)
    parts, at = [(0, _SIGNATURE_BYTES)], _SIGNATURE_BYTES
    exif: int | None = None
    profile: int | None = None
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            raise cut_short("PNG")
        length, kind = struct.unpack_from(">I4s", data, at)
        begin, end = at + 8, at + 12 + length
        if end > len(data):
            raise cut_short("PNG")
        if kind in _KEPT:
            parts.append((at, end))
        # The first of each: a file may hold thousands, and each costs the time of a directory.
        if kind == b"eXIf" and exif is None and has_directory(data[begin : begin + 10]):
            exif = orientation_of(data[begin : end - 4])
        elif kind in (b"tEXt", b"zTXt") and profile is None:
            text = data[begin : min(end - 4, begin + _MAX_TEXT_BYTES)]
            profile = _profile(text, is_compressed=kind == b"zTXt")
        elif kind == b"IEND":
            break
        at = end
    else:
        raise UndecodableImage(f"the PNG picture has more than {_MAX_CHUNKS} chunks")
    orientation = exif or UPRIGHT
    if orientation == UPRIGHT:
        orientation = profile or UPRIGHT
    return Walked(width_px, height_px, joined(data, parts), orientation)


def _size(data: bytes) -> tuple[int, int]:
    if len(data) < _SIGNATURE_BYTES + 8 + 13 + 4:
        raise cut_short("PNG")
    length, kind, width, height = struct.unpack_from(">I4sII", data, _SIGNATURE_BYTES)
    if kind == b"CgBI":
        raise UndecodableImage(
            "the PNG picture is in Apple's own form (CgBI), which is not read; save it as an ordinary PNG"
        )
    if kind != b"IHDR" or length != 13:
        raise UndecodableImage("the PNG picture has no header")
    return width, height


def _profile(text: bytes, *, is_compressed: bool) -> int | None:
    """Returns the orientation that a text names; None if the text is no profile."""
    keyword, _, rest = text.partition(b"\0")
    if keyword not in _PROFILES:
        return None
    # zTXt has the number of its method first, which is always 0: deflate.
    return orientation_of_text(rest[1:] if is_compressed else rest, is_compressed=is_compressed)
