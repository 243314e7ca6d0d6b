"""What the thumbnails of a stream say without a model: whether the scene is another one, and whether something has moved."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.camera.likeness import likeness

__all__ = ["Scene"]

_CUT_LEVELS: Final = 8.0
_CUT_LIKENESS: Final = 0.92
_CUT_TIMES: Final = 2.0
"""A cut changes thumbnails by this many gray levels in the mean and by this many times as much as the frame before did, and leaves
them less alike (Pearson's correlation). Measured on 17 clips: 97 to 100 % of the pairs of scenes, also of people at one place before
walls of one color; at 30, 10, 5 and 2 frames a second 3, 3, 1 and 5 of 747, 251, 126 and 52 frames without a cut, most in a fast pan."""

_MOVED_LEVELS: Final = 8.0
_MOVED_NOISE: Final = 4.0
"""A part has moved if it changed by this many gray levels, and by this many times the median change of all parts."""

_MOVED_PARTS: Final = 2
"""Parts that must have moved: one may be a reflection, or a compressor's."""

_BODY_WIDTHS: Final = 1.5
"""Around a known face, what moves is its person: from half a face above it to the lower edge, and this many widths of
the face to both sides of its center."""

_DARKEST: Final = 4.0
"""Least median gray level by which exposures are compared. Chosen, not measured: below it is noise."""

Gray = NDArray[np.uint8]


class Scene:
    """Compares the thumbnails of one stream's frames, whatever their exposure. A frame counts after `saw`."""

    def __init__(self) -> None:
        self._last: Gray | None = None
        self._searched: Gray | None = None
        self._usual = 0.0

    def is_cut(self, now: Gray) -> bool:
        """Whether the frame shows another scene than the last one.

        Args:
            now: (h, w) uint8, the frame's thumbnail.
        """
        if self._last is None:
            return False
        change = float(_change(self._last, now).mean())
        least = max(_CUT_LEVELS, _CUT_TIMES * self._usual)
        return change > least and likeness(self._last, now) < _CUT_LIKENESS

    def has_moved(self, now: Gray, known: NDArray[np.floating]) -> bool:
        """Whether something has changed, since the last searched frame, where no known person is.

        Args:
            now: (h, w) uint8, the frame's thumbnail.
            known: (n, 4) x1, y1, x2, y2 of the known faces, as shares of the picture's sides.
        """
        if self._searched is None:
            return False
        change = _change(self._searched, now)
        least = max(_MOVED_LEVELS, _MOVED_NOISE * float(np.median(change)))
        return int(((change > least) & ~_bodies(known, change.shape)).sum()) >= _MOVED_PARTS

    def saw(self, now: Gray, *, is_search: bool) -> None:
        """Keeps a frame's thumbnail for those that follow.

        Args:
            now: (h, w) uint8.
            is_search: whether the frame was searched.
        """
        if self._last is not None:
            self._usual = float(_change(self._last, now).mean())
        self._last = now
        if is_search:
            self._searched = now


def _change(before: Gray, now: Gray) -> NDArray[np.float64]:
    """Returns (h, w) changes in gray levels, as if both had the same exposure."""
    gain = max(float(np.median(before)), _DARKEST) / max(float(np.median(now)), _DARKEST)
    changes: NDArray[np.float64] = np.abs(now * gain - before.astype(np.float64))
    return changes


def _bodies(known: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Returns (h, w): where the persons of the known faces are."""
    height, width = shape
    parts = np.zeros((height, width), np.bool_)
    for x1, y1, x2, y2 in known:
        middle, reach = (x1 + x2) / 2, (x2 - x1) * _BODY_WIDTHS
        top = max(0, int((y1 - (y2 - y1) / 2) * height))
        left, right = max(0, int((middle - reach) * width)), int((middle + reach) * width) + 1
        parts[top:, left : max(left, right)] = True
    return parts
