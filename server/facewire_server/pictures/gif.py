"""Walks a GIF to the end of its first picture (GIF89a, CompuServe 1990, sections 17 to 23).

The decoder gets the screen, the colors and the first picture: no comment, no further picture, and no transparency, behind which
it would show a background that browsers do not have.
"""

import struct
from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.walked import CheckSize, Walked, cut_short

__all__ = ["walk_gif"]

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B

_MAX_BLOCKS: Final = 1 << 17
"""Blocks and sub-blocks of a file that are walked. Chosen, not measured: 32 MiB in sub-blocks of 255 bytes; Python walks as many in
30 ms."""


class _Blocks:
    """Walks over sub-blocks, and counts the blocks of the whole file: a file may hold millions that are empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MAX_BLOCKS

    def end(self, at: int) -> int:
        """Returns where the sub-blocks that begin at `at` end."""
        while self._left:
            self._left -= 1
            length = self._data[at]
            at += 1 + length
            if not length:
                return at
        raise UndecodableImage(f"the GIF picture has more than {_MAX_BLOCKS} blocks")


def walk_gif(data: bytes, check_size: CheckSize) -> Walked:
    """Walks a GIF to the end of its first picture.

    Raises:
        UndecodableImage: cut short, damaged, or without a picture.
    """
    try:
        return _walk(data, check_size)
    except (IndexError, struct.error):
        raise cut_short("GIF") from None


def _walk(data: bytes, check_size: CheckSize) -> Walked:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(width, height)
    at = 13 + _color_bytes(flags)
    colors, blocks = data[13:at], _Blocks(data)
    while (block := data[at]) == _EXTENSION:
        at = blocks.end(at + 2)
    if block != _IMAGE:
        raise UndecodableImage("the GIF picture is damaged, or has no pixels")
    left, top, frame_width, frame_height, frame_flags = struct.unpack_from("<HHHHB", data, at + 1)
    # As browsers do: a picture that is larger than its screen enlarges the screen.
    width, height = max(width, left + frame_width), max(height, top + frame_height)
    check_size(width, height)
    if not frame_width or not frame_height:
        raise UndecodableImage("the GIF picture has no pixels")
    pixels = at + 10 + _color_bytes(frame_flags)
    if not 2 <= data[pixels] <= 8:
        raise UndecodableImage("the GIF picture is damaged: its codes have an impossible length")
    end = blocks.end(pixels + 1)
    # The first color is the background: decoders refuse a number that is beyond the table.
    screen = struct.pack("<HHBBB", width, height, flags, 0, 0)
    file = data[:6] + screen + colors + data[at:end] + bytes([_TRAILER])
    return Walked(width, height, file)


def _color_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
