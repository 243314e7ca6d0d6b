"""A clock drawn into pictures as black and white cells, so that a reader of a stream knows when each was made.

The cells survive a lossy codec and scaling. Drawing needs no package: it runs in Debian's own Python, too.
"""

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["STEP_S", "draw", "read"]

STEP_S: Final = 0.001
"""Seconds from one time that can be drawn to the next: what is read is up to half of it before or after what was drawn."""

_ROWS: Final = 2
_CELLS: Final = 20
"""Cells in a row; 40 bits: 32 of milliseconds, and 8 of a checksum that a picture without a clock does not pass."""

_STRIP: Final = 1 / 4
"""Part of the height that the clock takes, at the top."""

_BLACK: Final = 16
_WHITE: Final = 235
_BETWEEN: Final = 126
"""Luma as video has it, ITU-R BT.601: 16 is black, 235 white."""

_BOX_STEPS: Final = 50
"""Pictures until the moving box is back, so that a codec always has motion. Chosen, not measured."""


def draw(width: int, height: int, at_s: float, number: int) -> bytes:
    """Returns a picture with the clock, and a box below it that moves from picture to picture.

    Args:
        width: even, pixels.
        height: even, pixels.
        at_s: the time to draw, to the millisecond; of `time.monotonic`, which is one for all processes of a machine.
        number: of the picture.

    Returns:
        I420: height · width luma, then twice a quarter of it chroma, without padding.
    """
    bits = _bits(round(at_s / STEP_S) % 2**32)
    rows = []
    tall = int(height * _STRIP) // _ROWS
    for row in range(_ROWS):
        edges = [column * width // _CELLS for column in range(_CELLS + 1)]
        line = b"".join(
            bytes([_WHITE if bits[row * _CELLS + column] else _BLACK])
            * (edges[column + 1] - edges[column])
            for column in range(_CELLS)
        )
        rows.append(line * tall)
    rest = height - _ROWS * tall
    side = min(width, rest) // 4
    left = number % _BOX_STEPS * (width - side) // _BOX_STEPS
    empty = bytes([_BETWEEN]) * width
    boxed = empty[:left] + bytes([_WHITE]) * side + empty[left + side :]
    rows.append(empty * side + boxed * side + empty * (rest - 2 * side))
    return b"".join(rows) + bytes([128]) * (width * height // 2)


def read(picture: "NDArray[np.uint8]") -> float | None:
    """Returns the time that is drawn into a picture, seconds; None if there is no clock in it.

    Args:
        picture: (height, width, 3) or (height, width) uint8, of any size.
    """
    height, width = picture.shape[:2]
    bits = []
    for row in range(_ROWS):
        for column in range(_CELLS):
            y = int((row + 0.5) * height * _STRIP / _ROWS)
            x = int((column + 0.5) * width / _CELLS)
            bits.append(int(picture[y - 1 : y + 2, x - 1 : x + 2].mean() > _BETWEEN))
    number = int("".join(map(str, bits[:32])), 2)
    return number * STEP_S if bits == _bits(number) else None


def _bits(milliseconds: int) -> list[int]:
    check = zlib.crc32(milliseconds.to_bytes(4, "big")) & 0xFF
    return [int(bit) for bit in f"{milliseconds:032b}{check:08b}"]
