"""A tracker by motion alone, to compare with: SORT (Bewley et al. 2016) with velocities instead of Kalman filters, in seconds."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.boxes import iou
from facewire_server.streams.tracks.assignment import assigned

__all__ = ["PlainTracker"]

_MIN_IOU: Final = 0.1
_MEMORY_S: Final = 2.0


class PlainTracker:
    """Assigns by intersection over union with the predicted boxes."""

    def __init__(self) -> None:
        self._count = 0
        self._ids: list[int] = []
        self._boxes = np.empty((0, 4))
        self._speeds = np.empty((0, 4))
        self._seen_s = np.empty(0)

    def update(self, at_s: float, boxes: NDArray[np.floating]) -> list[int]:
        """Returns the track of each face."""
        kept = at_s - self._seen_s <= _MEMORY_S
        self._ids = [track for track, keep in zip(self._ids, kept, strict=True) if keep]
        self._boxes, self._speeds = self._boxes[kept], self._speeds[kept]
        self._seen_s = self._seen_s[kept]
        elapsed_s = np.maximum(at_s - self._seen_s, 1e-3)[:, None]
        overlaps = iou(self._boxes + self._speeds * elapsed_s, boxes)
        found = [-1] * len(boxes)
        for track, row in enumerate(assigned(1 - overlaps, overlaps >= _MIN_IOU)):
            if row >= 0:
                speed = (boxes[row] - self._boxes[track]) / elapsed_s[track]
                self._speeds[track] = (self._speeds[track] + speed) / 2
                self._boxes[track], self._seen_s[track] = boxes[row], at_s
                found[row] = self._ids[track]
        for row in [row for row, track in enumerate(found) if track < 0]:
            self._count += 1
            found[row] = self._count
            self._ids.append(self._count)
            self._boxes = np.vstack([self._boxes, boxes[row]])
            self._speeds = np.vstack([self._speeds, np.zeros(4)])
            self._seen_s = np.append(self._seen_s, at_s)
        return found
