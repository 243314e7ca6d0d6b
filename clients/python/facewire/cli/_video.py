"""Frames of a file, a camera or an address, by OpenCV, as JPEG."""

import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import cv2

from facewire import Frame

__all__ = ["Video"]

_JPEG_QUALITY = 90


class Video:
    """An open source of frames; a context manager.

    Attributes:
        live: whether it goes on by itself: a camera, an address.
        frame_count: of a file, as its header says; None where that is not known.

    Raises:
        ValueError: OpenCV cannot open it.
    """

    def __init__(self, source: str) -> None:
        self.live = source.isdecimal() or ("://" in source and not source.startswith("file://"))
        self._capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
        if not self._capture.isOpened():
            raise ValueError(source)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = count if count > 0 and not self.live else None
        self._started_s = time.monotonic()
        # The thread that draws frames and the one that closes are not the same, and
        # OpenCV crashes when a capture is released under a read.
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Frees the source; frames end. May be called again."""
        self._closed.set()
        # A read of a dead address may take half a minute; the process's end frees it, too.
        if self._lock.acquire(timeout=1):
            self._capture.release()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def every_frame(self) -> Iterator[Frame]:
        """Yields one frame after the other, waiting for whoever draws them."""
        for picture, at_us in self._pictures():
            yield _encode(picture, at_us)

    def newest_frames(self) -> Iterator[Frame]:
        """Yields at each draw the newest frame, passing over those that came before.

        The source is read at its own pace, a file's being that of its time stamps, so that
        no buffer of the camera's makes what is seen old.
        """
        slot = _Slot()

        def read() -> None:
            for picture, at_us in self._pictures():
                if not self.live:
                    self._closed.wait(at_us / 1e6 - (time.monotonic() - self._started_s))
                slot.put((picture, at_us))
            slot.end()

        threading.Thread(target=read, daemon=True, name="facewire-video").start()
        while (newest := slot.take()) is not None:
            yield _encode(*newest)

    def _pictures(self) -> Iterator[tuple[Any, int]]:
        """Pictures with their times: since the start of the film, or of the watching."""
        while True:
            with self._lock:
                if self._closed.is_set():
                    return
                there, picture = self._capture.read()
                at_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not there:
                return
            if self.live:
                at_s = time.monotonic() - self._started_s
            yield picture, round(at_s * 1e6)


class _Slot:
    """Holds the newest frame between the thread that reads and the one that draws."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[Any, int] | None = None
        self._ended = False

    def put(self, frame: tuple[Any, int]) -> None:
        with self._changed:
            self._newest = frame
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self) -> tuple[Any, int] | None:
        """The newest frame, waited for; None when it was taken and none is to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._newest is not None)
            taken, self._newest = self._newest, None
            return taken


def _encode(picture: Any, at_us: int) -> Frame:
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return Frame(jpeg.tobytes(), captured_at_us=at_us)
