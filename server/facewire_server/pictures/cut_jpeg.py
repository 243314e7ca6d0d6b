"""How much is missing of a JPEG whose end is missing.

Cameras and interrupted copies lose the last bytes of a picture, and every viewer shows the rest: libjpeg fills up what is missing with
gray. A face in that part would be lost without a word, so a picture is shown if next to nothing is missing, and
refused otherwise.
"""

from typing import Any, Final

import cv2
import numpy as np

from facewire_server.errors import UndecodableImage

__all__ = ["refuse_if_much_is_lost"]

_MOST_LOST: Final = 1 / 16
"""Part of the picture, at its lower end, that may be missing. Chosen, not measured: a face of the smallest size that is searched for by
default fits into that, and none that anyone would miss."""

_PROBE: Final = bytes(np.random.default_rng(0).integers(0, 0xFF, 512, np.uint8))
"""Entropy-coded data of no picture; none of it is 0xFF, so it holds no marker. It is longer than any block."""

_END: Final = b"\xff\xd9"


def refuse_if_much_is_lost(file: bytes, *, is_in_one_pass: bool) -> None:
    """Raises `UndecodableImage` if more than a sixteenth of the picture is missing.

    The picture is decoded twice: with its end behind its data, and with something else between the two. A decoder reads what it needs, so
    both are equal up to the block in which its own data ended.

    Args:
        file: with an end that was added.
        is_in_one_pass: all of a pixel comes in one scan, so pictures of an eighth of the size tell as much.
    """
    flags = cv2.IMREAD_REDUCED_COLOR_8 if is_in_one_pass else cv2.IMREAD_COLOR
    data = file.removesuffix(_END).rstrip(b"\xff")  # half a marker is not data
    as_it_is, otherwise = (_decoded(data + more + _END, flags) for more in (b"", _PROBE))
    if as_it_is is None or otherwise is None:
        raise _cut_short()
    differs = (as_it_is != otherwise).any(axis=2)
    rows = differs.any(axis=1)
    if not rows.any():
        return
    # All that follows the first difference is made up, also where both made up the same.
    first = int(rows.argmax())
    there = np.where(rows[first:], differs[first:].argmax(axis=1), 0)
    lost = differs.shape[1] * len(there) - int(there.sum())
    if lost > _MOST_LOST * differs.size:
        raise _cut_short()


def _decoded(data: bytes, flags: int) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)


def _cut_short() -> UndecodableImage:
    return UndecodableImage(
        f"the JPEG picture is cut short: more than {_MOST_LOST:.0%} of it is missing"
    )
