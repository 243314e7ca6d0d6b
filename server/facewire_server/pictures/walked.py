"""What every walk of a file takes and returns, and the cutting of a file to its checked parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from facewire_server.errors import UndecodableImage

__all__ = ["CheckSize", "Walked", "cut_short", "joined"]

CheckSize: TypeAlias = Callable[[int, int], None]
"""Takes width and height as soon as they are known; raises if they are over a limit, before the walk goes on."""


@dataclass(frozen=True, slots=True)
class Walked:
    """A file that was walked from its first byte to its last one.

    Attributes:
        width_px, height_px: as stored, before the picture is turned upright.
        file: what a decoder gets: the checked parts of the file.
        orientation: by which the stored picture is turned upright, 1 to 8 (EXIF 3.0, 4.6.5.1.6).
        passes: how often a decoder works through all pixels.
        is_cut: the file ends within the picture's data.
        remark: what is wrong with the file, though it is read; "" = nothing.
    """

    width_px: int
    height_px: int
    file: bytes
    orientation: int = 1
    passes: int = 1
    is_cut: bool = False
    remark: str = ""


def joined(data: bytes, parts: Sequence[tuple[int, int]], *, end: bytes = b"") -> bytes:
    """Returns the parts of `data`, each from its first byte to before its last one, and `end` behind them.

    A file of which nothing is dropped is returned as it is, without a copy.
    """
    if not end and sum(last - first for first, last in parts) == len(data):
        return data
    view = memoryview(data)
    return b"".join([*(view[first:last] for first, last in parts), end])


def cut_short(name: str) -> UndecodableImage:
    """Returns the error for a file that announces more than it has; `name` is its format's."""
    return UndecodableImage(f"the {name} picture is cut short")
