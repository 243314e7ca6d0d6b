"""Frames of a file, a device or an address, by OpenCV, as JPEG."""

import logging
import os
import random
import re
import threading
import time
from typing import Any, Self

import cv2

from facewire._pictures import Frame
from facewire._results import Advice

__all__ = ["Camera"]

_log = logging.getLogger("facewire")

_OPEN_TIMEOUT_MS = 10_000
_READ_TIMEOUT_MS = 10_000
_FIRST_BACKOFF_S = 0.5
_LONGEST_BACKOFF_S = 30.0
_ADVICE_HOLDS_S = 30.0


class Camera:
    """A source of frames for `Client.stream`: an iterator, and a context manager.

    A camera that is lost is opened again, after 0.5 s, then twice as long each time, up to
    30 s (by chance, between half and all of it), for as long as it takes; the logger
    "facewire" tells of it. A film ends.

    Given to a stream, it obeys the server's `Advice`, for 30 s after each: it gives no
    more frames a second than the server keeps up with, and none larger than is of use.

    Args:
        source: a video file; a device's number, 0 for the first; an address
            (rtsp://..., http://...).
        every_frame: gives every frame, waiting for whoever draws them; otherwise the
            newest at each draw, so that no buffer makes what is seen old. By default
            every frame of a film, the newest of a camera.
        jpeg_quality: of the frames. Range [1, 100].

    Attributes:
        live: whether it goes on by itself: a device, or an address that is no film's.
        frame_count: of a film, as its header says; None where that is not known.
        fps: frames a second, as the source says; 0 where it does not.
        every_frame: as it was given, or chosen.

    Raises:
        OSError: OpenCV cannot open it.
    """

    def __init__(
        self,
        source: int | str | os.PathLike[str],
        *,
        every_frame: bool | None = None,
        jpeg_quality: int = 90,
    ) -> None:
        text = str(source)
        self._source: int | str = int(text) if text.isdecimal() else text
        # A password in an address is not for logs and screens.
        self._shown = re.sub(r"//[^/@]*@", "//***@", text)
        self._capture = self._open()
        if not self._capture.isOpened():
            raise OSError(
                f"{self._shown}: OpenCV cannot open it. Is it a video file, the number of a "
                "camera, or the address of one that is on?"
            )
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        address = "://" in text and not text.startswith("file://")
        self.live = text.isdecimal() or (address and count <= 0)
        self.frame_count = count if count > 0 and not self.live else None
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.every_frame = not self.live if every_frame is None else every_frame
        self._jpeg = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality]
        self._started_s = time.monotonic()
        # The thread that draws frames and the one that closes are not the same, and
        # OpenCV crashes when a capture is released under a read.
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._newest: _Slot | None = None
        self._pace = _Pace()

    def close(self) -> None:
        """Frees the source; frames end. May be called again, and from another thread."""
        self._closed.set()
        # A read of a dead address takes up to ten seconds; the process's end frees it, too.
        if self._lock.acquire(timeout=1):
            self._capture.release()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def advise(self, advice: Advice) -> None:
        """Takes a hint of the server's; a stream calls it."""
        self._pace.advise(advice)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        taken = self._read() if self.every_frame else self._take_newest()
        if taken is None:
            raise StopIteration
        picture, at_us = taken
        picture = _shrunk(picture, self._pace.longest_side_px)
        _, jpeg = cv2.imencode(".jpg", picture, self._jpeg)
        return Frame(jpeg.tobytes(), captured_at_us=at_us)

    def _take_newest(self) -> tuple[Any, int] | None:
        if self._newest is None:
            self._newest = _Slot()
            arguments = (self._newest,)
            threading.Thread(
                target=self._keep_reading, args=arguments, daemon=True, name="facewire-camera"
            ).start()
        self._closed.wait(self._pace.pause_s())
        return self._newest.take()

    def _keep_reading(self, slot: "_Slot") -> None:
        """Reads the source at its own pace, a film's being that of its time stamps."""
        while (read := self._read()) is not None:
            if not self.live:
                self._closed.wait(read[1] / 1e6 - (time.monotonic() - self._started_s))
            slot.put(read)
        slot.end()

    def _read(self) -> tuple[Any, int] | None:
        """The next picture with its time: since the start of the film, or of the watching."""
        backoff_s = _FIRST_BACKOFF_S
        while True:
            with self._lock:
                if self._closed.is_set():
                    return None
                there, picture = self._capture.read()
                at_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if there:
                if self.live:
                    at_s = time.monotonic() - self._started_s
                return picture, round(at_s * 1e6)
            if not self.live:
                return None
            pause_s = backoff_s * random.uniform(0.5, 1.0)
            backoff_s = min(2 * backoff_s, _LONGEST_BACKOFF_S)
            _log.warning("%s gives no pictures; trying again in %.1f s", self._shown, pause_s)
            self._closed.wait(pause_s)
            self._reopen()

    def _reopen(self) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._capture.release()
                self._capture = self._open()

    def _open(self) -> Any:
        if isinstance(self._source, int):
            return cv2.VideoCapture(self._source)
        # Without limits a dead address is waited for by half minutes.
        limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS),
        ]
        capture = cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, limits)
        # What FFmpeg cannot read another backend may: a sequence of pictures, a pipeline.
        return (
            capture
            if capture.isOpened() or "://" in self._source
            else cv2.VideoCapture(self._source)
        )


class _Pace:
    """What the server's last hint asks for, for as long as it holds."""

    def __init__(self) -> None:
        self._advice = Advice(target_fps=0, longest_side_px=0)
        self._until_s = 0.0
        self._last_s = 0.0

    def advise(self, advice: Advice) -> None:
        self._advice = advice
        self._until_s = time.monotonic() + _ADVICE_HOLDS_S

    @property
    def longest_side_px(self) -> int:
        """0: as it is."""
        return self._advice.longest_side_px if time.monotonic() < self._until_s else 0

    def pause_s(self) -> float:
        """How long to wait before the next frame; counts it as given then."""
        now_s = time.monotonic()
        due_s = now_s
        if now_s < self._until_s and self._advice.target_fps > 0:
            due_s = max(now_s, self._last_s + 1 / self._advice.target_fps)
        self._last_s = due_s
        return due_s - now_s


class _Slot:
    """Holds the newest picture between the thread that reads and the one that draws."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[Any, int] | None = None
        self._ended = False

    def put(self, picture: tuple[Any, int]) -> None:
        with self._changed:
            self._newest = picture
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> tuple[Any, int] | None:
        """The newest picture, waited for; None when it was taken and none is to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._newest is not None)
            taken, self._newest = self._newest, None
            return taken


def _shrunk(picture: Any, longest_side_px: int) -> Any:
    scale = longest_side_px / max(picture.shape[:2])
    if not 0 < scale < 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
