"""Frames of a file, a device or an address, by OpenCV, as JPEG."""

import os
import threading
import time
import weakref
from typing import Any, Self

from facewire._values.pictures import Frame
from facewire._values.results import Advice
from facewire.video._source import Source

__all__ = ["Camera"]

_ADVICE_HOLDS_S = 30.0
"""Seconds that an advice is followed. Chosen, not measured: a busy server sends advice more often, and one that is
idle again may send none."""


class Camera:
    """A source of frames for `Client.stream`: an iterator, and a context manager.

    A camera that is lost is opened again, without end: after 0.5 s, then twice as long each time, up to
    30 s (a random part of it, at least half); the logger "facewire" reports it. A film ends.

    Films, and motion JPEG over HTTP, are tested; devices and RTSP are not.

    In a stream it follows the server's `Advice`, for 30 s after each: it sends at most as many frames a
    second as the server can process, and none larger than is useful.

    Args:
        source: a video file; a device's number, 0 for the first; an address
            (rtsp://..., http://...).
        every_frame: returns every frame, and waits until it is pulled; otherwise each pull returns
            the newest, so that no buffer makes frames old. Default: every frame of a film, the
            newest of a camera.
        jpeg_quality: of the frames. Range [1, 100].
        rotation_degrees: of a camera that hangs turned: the clockwise turn that makes its pictures upright, 0, 90,
            180 or 270. The server turns them; the frames stay as the camera sends them.

    Attributes:
        live: whether the source runs on without being read: a device, or an address that is not a film's.
        frame_count: of a film, as its header says; None if that is not known.
        fps: frames a second, as the source says; 0 if it does not.
        every_frame: as it was given, or chosen.
        rotation_degrees: as it was given; `Client.stream` reads it.

    Raises:
        OSError: OpenCV cannot open it.
    """

    def __init__(
        self,
        source: int | str | os.PathLike[str],
        *,
        every_frame: bool | None = None,
        jpeg_quality: int = 90,
        rotation_degrees: int = 0,
    ) -> None:
        self._source = Source(source)
        self.live = self._source.live
        self.frame_count = self._source.frame_count
        self.fps = self._source.fps
        self.every_frame = not self.live if every_frame is None else every_frame
        self.rotation_degrees = rotation_degrees
        self._jpeg_quality = jpeg_quality
        self._newest: _Slot | None = None
        self._pace = _Pace()
        # Closes a camera that was dropped, at the latest when the process ends, and one whose
        # closing was interrupted by Ctrl-C.
        weakref.finalize(self, self._source.close)

    def close(self) -> None:
        """Frees the source and ends the frames. May be called again, and from another thread.

        Waits for a running read, which takes up to 10 s on a dead address.
        """
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def advise(self, advice: Advice) -> None:
        """Takes the server's advice; a stream calls it."""
        self._pace.advise(advice)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        taken = self._source.read() if self.every_frame else self._take_newest()
        if taken is None:
            raise StopIteration
        picture, at_s = taken
        jpeg = self._source.jpeg(
            picture, quality=self._jpeg_quality, longest_side_px=self._pace.longest_side_px
        )
        if jpeg is None:
            raise StopIteration
        return Frame(jpeg, captured_at_us=round(at_s * 1e6))

    def _take_newest(self) -> tuple[Any, float] | None:
        if self._newest is None:
            self._newest = _Slot()
            arguments = (self._source, self._newest)  # not `self`, which may be dropped
            threading.Thread(
                target=_keep_reading, args=arguments, daemon=True, name="facewire-camera"
            ).start()
        self._source.closed.wait(self._pace.pause_s())
        return self._newest.take()


def _keep_reading(source: Source, slot: "_Slot") -> None:
    """Reads the source at its own pace; a film at that of its time stamps."""
    started_s = time.monotonic()
    try:
        while (read := source.read()) is not None:
            if not source.live:
                source.closed.wait(read[1] - (time.monotonic() - started_s))
            slot.put(read)
    except Exception as error:  # noqa: BLE001 raised to the thread that pulls
        slot.error = error
    finally:
        slot.end()


class _Pace:
    """The server's last advice, while it is followed."""

    def __init__(self) -> None:
        self._advice = Advice(target_fps=0, longest_side_px=0)
        self._until_s = 0.0
        self._last_s = 0.0

    def advise(self, advice: Advice) -> None:
        self._advice = advice
        self._until_s = time.monotonic() + _ADVICE_HOLDS_S

    @property
    def longest_side_px(self) -> int:
        """0: no limit."""
        return self._advice.longest_side_px if time.monotonic() < self._until_s else 0

    def pause_s(self) -> float:
        """Returns how long to wait before the next frame, and counts that frame."""
        now_s = time.monotonic()
        due_s = now_s
        if now_s < self._until_s and self._advice.target_fps > 0:
            due_s = max(now_s, self._last_s + 1 / self._advice.target_fps)
        self._last_s = due_s
        return due_s - now_s


class _Slot:
    """Holds the newest picture between the thread that reads and the one that pulls.

    Attributes:
        error: what ended the reading; raised when all that was read is taken.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._changed = threading.Condition()
        self._newest: tuple[Any, float] | None = None
        self._ended = False

    def put(self, picture: tuple[Any, float]) -> None:
        with self._changed:
            self._newest = picture
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self) -> tuple[Any, float] | None:
        """Waits for a picture and returns the newest; None after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._newest is not None)
            taken, self._newest = self._newest, None
            if taken is None and self.error is not None:
                raise self.error
            return taken
