"""Frames of a film, a device or an address, as JPEG."""

import os
import stat
import time
import weakref
from functools import partial
from pathlib import Path
from typing import Self

from facewire._values.pictures import Frame
from facewire._values.results import Advice
from facewire.video._address import is_address, redacted
from facewire.video._av.source import AvSource
from facewire.video._device_source import DeviceSource
from facewire.video._jpeg import JpegEncoder
from facewire.video._reading import Reading

__all__ = ["Camera"]

_ADVICE_HOLDS_S = 30.0
"""Seconds that an advice is followed. Chosen, not measured: a busy server sends advice more often, and one that is
idle again may send none."""


class Camera:
    """A source of frames for `Client.stream`: an iterator, and a context manager.

    The camera of an address that is lost, or absent at the start, is waited for without end: it is tried again after
    up to 1 s, then twice as long each time until a picture comes, up to 30 s (a random part of it, at least half); the logger
    "facewire" says why. One that refuses the user or the password raises a `SourceError`, and is not tried again. A film ends.

    Films and addresses are read by FFmpeg (PyAV), devices by OpenCV. Interlaced pictures are made whole, and turned
    as a film says. Each frame has its picture's own size and time, `captured_at_us`, from the start of the film or the
    opening of the camera. A film's time goes on where its clock steps back or leaps. A camera's picture has the time at
    which it was taken, not at which it came: the camera's own clock, set by the picture that came quickest; without
    such a clock, as with motion JPEG over HTTP, the time at which it came.

    Films and network cameras are tested; devices are not.

    In a stream it follows the server's `Advice`, for 30 s after each: it sends at most as many frames a
    second as the server can process, and none larger than is useful.

    Args:
        source: a video file; a device's number, 0 for the first, or its path; an address
            (rtsp://..., http://...).
        every_frame: returns every frame, and waits until it is pulled; otherwise each pull returns
            the newest, so that no buffer makes frames old. Default: every frame of a film, the
            newest of a camera.
        jpeg_quality: of the frames. Range [1, 100].
        rotation_degrees: of a camera that hangs turned: the clockwise turn that makes its pictures upright, 0, 90,
            180 or 270. The server turns them; the frames stay as the camera sends them. What a film's header says of
            its turn is obeyed without it.

    Attributes:
        live: whether the source runs on without being read: a device, or an address that is not a film's.
        frame_count: of a film, as its header says, or estimated from its duration; None if that is not known.
        fps: frames a second, as the source says; 0 if it does not.
        every_frame: as it was given, or chosen.
        rotation_degrees: as it was given; `Client.stream` reads it.

    Raises:
        SourceError: an OSError: it cannot be opened, and no waiting would help; the text says why. The iteration raises
            it, too, after the last frame of a film that has fewer than its header promises, and of one of which
            nothing can be decoded.
    """

    def __init__(
        self,
        source: int | str | os.PathLike[str],
        *,
        every_frame: bool | None = None,
        jpeg_quality: int = 90,
        rotation_degrees: int = 0,
    ) -> None:
        self._encoder = JpegEncoder(jpeg_quality)
        self._reading = _reading_of(source)
        self.live = self._reading.live
        self.frame_count = self._reading.frame_count
        self.fps = self._reading.fps
        self.every_frame = not self.live if every_frame is None else every_frame
        self.rotation_degrees = rotation_degrees
        self._pace = _Pace()
        if self.live:  # what is not taken must not wait in the network and grow old
            self._reading.begin(every_frame=self.every_frame)
        # Closes a camera that was dropped, at the latest when the process ends, and one whose
        # closing was interrupted by Ctrl-C.
        weakref.finalize(self, _close, self._reading, self._encoder)

    def close(self) -> None:
        """Frees the source and ends the frames. May be called again, and from another thread.

        Takes 0.2 s at most, but for a device: it waits for that one's next picture.
        """
        _close(self._reading, self._encoder)

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
        self._reading.begin(every_frame=self.every_frame)
        if not self.every_frame:
            self._reading.closed.wait(self._pace.pause_s())
        shot = self._reading.take()
        if shot is None:
            raise StopIteration
        jpeg = self._encoder.jpeg(shot.bgr(), longest_side_px=self._pace.longest_side_px)
        if jpeg is None:
            raise StopIteration
        return Frame(jpeg, captured_at_us=round(shot.at_s * 1e6))


def _reading_of(source: int | str | os.PathLike[str]) -> Reading:
    """Opens a source: devices by OpenCV, all else by FFmpeg.

    Raises:
        SourceError: it cannot be opened.
    """
    text = os.fspath(source) if not isinstance(source, int) else str(source)
    if text.isdecimal():
        return Reading(
            partial(DeviceSource, int(text)),
            name=text,
            may_be_left=DeviceSource.may_be_left,
            is_awaited=False,
        )
    if _is_device(text):
        return Reading(partial(DeviceSource, text), name=text, may_be_left=False, is_awaited=False)
    return Reading(
        partial(AvSource, text),
        name=redacted(text),
        may_be_left=AvSource.may_be_left,
        is_awaited=is_address(text),
    )


def _is_device(path: str) -> bool:
    try:
        return stat.S_ISCHR(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def _close(reading: Reading, encoder: JpegEncoder) -> None:
    reading.close()
    encoder.close()


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
