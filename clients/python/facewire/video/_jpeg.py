"""Encodes pictures as JPEG, until it is closed."""

import threading
from typing import Any

import cv2

__all__ = ["JpegEncoder"]


class JpegEncoder:
    """Encodes pictures in whatever thread pulls them.

    OpenCV ends the whole process if the interpreter exits during one of its calls, see `DeviceSource`: closing waits for
    the running call, and later ones are refused.

    Args:
        quality: range [1, 100].
    """

    def __init__(self, quality: int) -> None:
        self._quality = quality
        self._closed = False
        # Reentrant: a dropped camera is closed in whatever thread the garbage collector runs.
        self._encoding = threading.RLock()

    def jpeg(self, bgr: Any, *, longest_side_px: int) -> bytes | None:
        """Encodes a picture, made smaller if a side is longer than `longest_side_px` (0: never).

        Returns:
            None once it is closed.
        """
        with self._encoding:
            if self._closed:
                return None
            scale = longest_side_px / max(bgr.shape[:2])
            if 0 < scale < 1:
                bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
            return data.tobytes()

    def close(self) -> None:
        """Waits for the running call; may be called again."""
        self._closed = True
        with self._encoding:
            pass
