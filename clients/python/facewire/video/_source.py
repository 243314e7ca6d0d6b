"""Wraps OpenCV's calls: reads pictures of a source, and encodes them as JPEG, until it is closed.

Cameras are read in threads, and OpenCV ends the whole process ("terminate called without an active
exception") if the interpreter exits during one of its calls. So every call that a thread makes
goes through here, is refused once the source is closed, and is waited for by the closing.
No issue of OpenCV's was found that names this cause (searched: VideoCapture thread exit "terminate
called"; the nearest is https://github.com/opencv/opencv-python/issues/121).
"""

import logging
import os
import random
import threading
import time
from typing import Any

import cv2

from facewire.video._names import name_for_opencv

__all__ = ["Source"]

_log = logging.getLogger("facewire")

_FIRST_BACKOFF_S = 0.5
"""Pause before the first reopening, seconds. Chosen, not measured: a camera that restarts its stream is back at once."""

_LONGEST_BACKOFF_S = 30.0
"""Longest pause, seconds. Chosen, not measured: the longest delay until a returned camera is noticed."""

_OPEN_TIMEOUT_MS = 10_000
"""Timeout of opening. Chosen, not measured: cameras take seconds to wake up. `Camera.close` may wait for it."""

_READ_TIMEOUT_MS = 5_000
"""Timeout of a read. Chosen, not measured: longer than between two key frames of common cameras (1 to 4 s)."""


class Source:
    """A video file, a device or an address, open.

    Args:
        source: as `Camera` takes it.

    Attributes:
        live: whether the source runs on without being read.
        frame_count: of a film, as its header says; None if that is not known.
        fps: frames a second, as the source says; 0 if it does not.
        closed: set by `close`.

    Raises:
        OSError: OpenCV cannot open it.
    """

    def __init__(self, source: int | str | os.PathLike[str]) -> None:
        text = str(source) if isinstance(source, int) else name_for_opencv(source)
        self._redacted = _redacted(text)
        self.closed = threading.Event()
        self._source: int | str = int(text) if text.isdecimal() else text
        # Reentrant: a dropped camera is closed in whatever thread the garbage collector runs.
        self._reading = threading.RLock()
        self._encoding = threading.RLock()
        self._capture = self._open()
        if not self._capture.isOpened():
            raise OSError(
                f"{self._redacted}: OpenCV cannot open it. Is it a video file, the number of a "
                "camera, or the address of one that is on?"
            )
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        address = "://" in text and not text.startswith("file://")
        self.live = text.isdecimal() or (address and count <= 0)
        self.frame_count = count if count > 0 and not self.live else None
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._opened_s = time.monotonic()

    def read(self) -> tuple[Any, float] | None:
        """Returns the next picture; waits for a camera that is lost.

        Returns:
            The picture, (h, w, 3) uint8 BGR, and its time in seconds since the start of the film, or
            since a live source was opened; None at the end of the film, or once it is closed.
        """
        backoff_s = _FIRST_BACKOFF_S
        while True:
            there, picture, at_s = self._grab()
            if there:
                return picture, time.monotonic() - self._opened_s if self.live else at_s
            if not self.live or self.closed.is_set():
                return None
            pause_s = backoff_s * random.uniform(0.5, 1.0)
            backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)
            _log.warning("%s sends no pictures; trying again in %.1f s", self._redacted, pause_s)
            self.closed.wait(pause_s)
            self._reopen()

    def jpeg(self, picture: Any, *, quality: int, longest_side_px: int) -> bytes | None:
        """Encodes a picture as JPEG, made smaller if a side is longer than `longest_side_px` (0: never).

        Returns:
            None once it is closed.
        """
        with self._encoding:
            if self.closed.is_set():
                return None
            scale = longest_side_px / max(picture.shape[:2])
            if 0 < scale < 1:
                picture = cv2.resize(
                    picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
                )
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
            return data.tobytes()

    def close(self) -> None:
        """Frees the source after the running call, which takes up to 10 s on a dead address."""
        self.closed.set()
        with self._reading, self._encoding:
            self._capture.release()

    def _grab(self) -> tuple[bool, Any, float]:
        with self._reading:
            if self.closed.is_set():
                return False, None, 0.0
            there, picture = self._capture.read()
            return there, picture, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000

    def _reopen(self) -> None:
        with self._reading:
            if not self.closed.is_set():
                self._capture.release()
                self._capture = self._open()

    def _open(self) -> Any:
        if isinstance(self._source, int):
            return cv2.VideoCapture(self._source)
        # Without limits each call on a dead address takes half a minute.
        limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS),
        ]
        capture = cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, limits)
        # Other backends read what FFmpeg cannot: a sequence of pictures, a pipeline.
        return (
            capture
            if capture.isOpened() or "://" in self._source
            else cv2.VideoCapture(self._source)
        )


def _redacted(source: str) -> str:
    """Returns a source for logs and screens: of an address scheme, host and path; the rest may be secret.

    Passwords with any of "/@?" in them are common, though an address should not have them.
    """
    scheme, is_address, place = source.partition("://")
    if not is_address:
        return source
    place, _, query = place.partition("?")
    if "@" in query:  # or is it the rest of a password?
        return f"{scheme}://..."
    return f"{scheme}://{place.rpartition('@')[2].partition('#')[0]}"
