"""Films and network cameras, opened and decoded by FFmpeg through PyAV."""

import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import av
from av.video.frame import VideoFrame

from facewire.video._address import is_address, redacted
from facewire.video._av.errors import no_decoder, no_pictures, source_error
from facewire.video._av.pictures import Deinterlacer, bgr
from facewire.video._film_time import LONGEST_GAP_OF_JOINED_S, LONGEST_GAP_S, FilmTime
from facewire.video._live_time import LiveTime
from facewire.video._source import Shot, SourceError

__all__ = ["AvSource"]

_OPEN_TIMEOUT_S = 10.0
"""Timeout of connecting, and of learning what the stream holds, seconds. Chosen, not measured: cameras take seconds
to wake up."""

_READ_TIMEOUT_S = 5.0
"""Timeout of a read, seconds. Chosen, not measured: longer than between two key frames of common cameras (1 to 4)."""

_OPTIONS_OF_ADDRESSES = {"rtsp_flags": "prefer_tcp", "fpsprobesize": "0"}
"""Over TCP no packet is lost, which would spoil every picture until the next key frame. And the rate of a camera is not
measured before the first picture, which would take twenty of them."""

_GEN_PTS, _NO_TIMESTAMPS, _JOINABLE = 0x1, 0x80, 0x200
"""FFmpeg's AVFMT_FLAG_GENPTS of an open source, which PyAV sets, and AVFMT_NOTIMESTAMPS and AVFMT_TS_DISCONT of its
format."""

_UNTIMED_FPS = 25.0
"""Frames a second of a film that states none. FFmpeg's own assumption for raw streams."""


class _Arrival(NamedTuple):
    """When a packet arrived, and how long it was waited for."""

    at_s: float
    waited_s: float


class AvSource:
    """A film or the address of a camera, open.

    Attributes: see `Source`.

    Args:
        source: a path or an address.

    Raises:
        SourceError: it cannot be opened, holds no pictures, or there is no decoder for them.
    """

    may_be_left = True

    def __init__(self, source: str) -> None:
        self._source = source
        self._container = _opened(source)
        try:
            self._stream = _pictures_of(self._container, source)
        except SourceError:
            self._container.close()
            raise
        duration_s = (self._container.duration or 0) / av.time_base
        self.live = is_address(source) and self._stream.frames <= 0 and duration_s <= 0
        self.fps = float(self._stream.guessed_rate or 0)
        self._promised_count = 0 if self.live else self._stream.frames
        estimated_count = self._promised_count or round(duration_s * self.fps)
        self.frame_count = None if self.live else estimated_count or None
        self._codec = self._stream.codec_context
        self._set_up_decoding()
        self._packets: Iterator[Any] = self._container.demux(self._stream)
        self._deinterlacer = Deinterlacer()
        self._ready: deque[tuple[VideoFrame, _Arrival]] = deque()
        self._ended = self._closed = False
        self._read_count = 0
        frame_s = 1 / (self.fps or _UNTIMED_FPS)
        flags = self._container.format.flags
        gap_s = LONGEST_GAP_OF_JOINED_S if flags & _JOINABLE else LONGEST_GAP_S
        self._film_time = FilmTime(frame_s, gap_s)
        self._live_time = LiveTime()
        self._has_clock = not flags & _NO_TIMESTAMPS

    def read(self) -> Shot | None:
        """See `Source.read`."""
        while not self._ready:
            if self._ended:
                self._check_end()
                return None
            self._read_packet()
        frame, arrival = self._ready.popleft()
        self._read_count += 1
        at_s = self._time_of(frame, arrival.at_s)
        return Shot(partial(bgr, frame, frame.rotation), at_s, arrival.waited_s)

    def close(self) -> None:
        """See `Source.close`."""
        self._packets = iter(())
        self._ready.clear()
        self._ended = self._closed = True
        self._container.close()

    def _set_up_decoding(self) -> None:
        if self.live:
            # With several threads each holds a frame back, which makes pictures old.
            self._codec.thread_count = 1
            self._codec.flags |= av.codec.context.Flags.low_delay
            # It would wait for later frames, to make up time stamps that are missing.
            self._container.flags &= ~_GEN_PTS
        else:
            self._codec.thread_type = "AUTO"

    def _read_packet(self) -> None:
        """Reads a packet, and decodes the frames that it completes."""
        asked_s = time.monotonic()
        try:
            packet = next(self._packets, None)
        except (OSError, av.FFmpegError) as error:
            self._ended = True
            raise source_error(self._source, error) from error
        now_s = time.monotonic()
        arrival = _Arrival(now_s, now_s - asked_s)
        if packet is None:
            self._ended = True
            self._take(self._decoded(None), arrival)
            self._ready += [(frame, arrival) for frame in self._deinterlacer.rest()]
        elif (
            packet.size
        ):  # an empty one stands for a frame that is the last one again, or for the end
            self._take(self._decoded(packet), arrival)

    def _decoded(self, packet: Any) -> list[VideoFrame]:
        try:
            frames: list[VideoFrame] = self._codec.decode(packet)
        except (OSError, av.FFmpegError):  # a damaged frame costs itself; the end is checked
            return []
        for frame in frames:
            frame.time_base = (
                self._stream.time_base
            )  # older PyAVs leave it out at the end of a film
        return frames

    def _take(self, frames: list[VideoFrame], arrival: "_Arrival") -> None:
        for frame in frames:
            self._ready += [(each, arrival) for each in self._deinterlacer.pictures(frame)]

    def _time_of(self, frame: VideoFrame, arrived_s: float) -> float:
        stamp_s = frame.time if self._has_clock else None
        if self.live:
            return self._live_time.taken_s(stamp_s, arrived_s)
        return self._film_time.at_s(stamp_s)

    def _check_end(self) -> None:
        """Raises SourceError if a film had no pictures, or fewer than its header promises."""
        promised, self._promised_count = self._promised_count, 0  # said once
        if self.live or self._closed:
            return
        shown = redacted(self._source)
        if not self._read_count:
            raise SourceError(f"{shown}: no picture of it can be decoded ({self._codec.name}).")
        if self._read_count < promised:
            raise SourceError(
                f"{shown}: it ends after {self._read_count} of {promised} frames. Is it a whole copy?"
            )


def _opened(source: str) -> av.container.InputContainer:
    # A colon in the name of a file must not make it the address of a protocol.
    name = source if "://" in source else f"file:{source}"
    options = _OPTIONS_OF_ADDRESSES if is_address(source) else {}
    try:
        return av.open(name, timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S), container_options=options)
    except (OSError, av.FFmpegError) as error:
        raise source_error(source, error) from error


def _pictures_of(container: av.container.InputContainer, source: str) -> Any:
    """Returns the stream of moving pictures: not a cover's, if there is another."""
    streams = container.streams.video
    if not streams:
        raise no_pictures(source)
    cover = av.stream.Disposition.attached_pic
    stream = min(streams, key=lambda each: cover in each.disposition)
    if stream.codec_context is None:
        raise no_decoder(source, stream.codec_tag.strip("\0") or "unknown")
    return stream
