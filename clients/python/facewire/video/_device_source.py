"""Cameras of this machine, by OpenCV."""

import time
from typing import Any

import cv2

from facewire.video._source import Shot, SourceError

__all__ = ["DeviceSource"]


class DeviceSource:
    """A device, open.

    OpenCV ends the whole process ("terminate called without an active exception") if the interpreter exits while a
    thread is in one of its calls: no thread may be left behind in `read`. No issue of OpenCV's was found that names
    this cause (searched: VideoCapture thread exit "terminate called"; the nearest is
    https://github.com/opencv/opencv-python/issues/121).

    Args:
        source: its number, 0 for the first, or its path.

    Raises:
        SourceError: OpenCV cannot open it.
    """

    live = True
    frame_count: int | None = None
    may_be_left = False

    def __init__(self, source: int | str) -> None:
        self._source = source
        self._capture: Any = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            raise SourceError(
                f"{source}: there is no such camera, or another program has it. Is it plugged in?",
                temporary=True,
            )
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))

    def read(self) -> Shot | None:
        """See `Source.read`."""
        asked_s = time.monotonic()
        there, picture = self._capture.read()
        now_s = time.monotonic()
        waited_s = now_s - asked_s
        return Shot(lambda: picture, now_s, waited_s, has_clock=False) if there else None

    def close(self) -> None:
        """See `Source.close`."""
        self._capture.release()
