"""Films and network cameras, opened and decoded by FFmpeg through PyAV."""

import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import av
from av.video.frame import VideoFrame

from facewire.video._address import is_address, redacted
from facewire.video._av.decoding import Decoding
from facewire.video._av.errors import no_decoder, no_pictures, source_error, too_late
from facewire.video._av.pictures import bgr
from facewire.video._av.promise import JOINABLE, Promise
from facewire.video._film_time import LONGEST_GAP_OF_JOINED_S, LONGEST_GAP_S, FilmTime
from facewire.video._live_time import LiveTime
from facewire.video._source import Shot, SourceError

__all__ = ["AvSource"]

_OPEN_TIMEOUT_S = 10.0
"""Timeout of connecting, and of learning what the stream holds, seconds. Chosen, not measured: cameras take seconds
to wake up."""

_READ_TIMEOUT_S = 5.0
"""Timeout of a read, seconds. Chosen, not measured: longer than between two key frames of common cameras (1 to 4)."""

_BLIND_AFTER_S = 30.0
"""Seconds of packets without a picture after which a live source is opened again, with a warning. Chosen, not measured:
longer than between two key frames of a scene at rest (20 of "smart" codecs)."""

_OPTIONS_OF_ADDRESSES = {"rtsp_flags": "prefer_tcp", "fpsprobesize": "0"}
"""Over TCP no packet is lost, which would spoil every picture until the next key frame. And the rate of a camera is not
measured before the first picture, which would take twenty of them."""

_GEN_PTS, _NO_TIMESTAMPS = 0x1, 0x80
"""FFmpeg's AVFMT_FLAG_GENPTS of an open source, which PyAV sets, and AVFMT_NOTIMESTAMPS of its format."""

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
        SourceError: it cannot be opened, holds no moving pictures, or there is no decoder for them.
    """

    may_be_left = True

    def __init__(self, source: str) -> None:
        self._source = source
        self._container = _opened(source)
        try:
            stream = _pictures_of(self._container, source)
        except SourceError:
            self._container.close()
            raise
        flags = self._container.format.flags
        duration_s = (self._container.duration or 0) / av.time_base
        self.live = is_address(source) and stream.frames <= 0 and duration_s <= 0
        self.fps = float((_stated_rate(stream) if self.live else stream.guessed_rate) or 0)
        count = stream.frames if "mp4" in self._container.format.name else 0
        self.frame_count = (
            (count or round(duration_s * self.fps) or None) if not self.live else None
        )
        if self.live:
            # It would wait for later frames, to make up time stamps that are missing.
            self._container.flags &= ~_GEN_PTS
        self._decoding = Decoding(stream, live=self.live)
        self._packets: Iterator[Any] = self._container.demux(stream)
        self._ready: deque[tuple[VideoFrame, _Arrival]] = deque()
        frame_s = 1 / (self.fps or _UNTIMED_FPS)
        gap_s = LONGEST_GAP_OF_JOINED_S if flags & JOINABLE else LONGEST_GAP_S
        self._film_time = FilmTime(frame_s, gap_s)
        self._live_time = LiveTime()
        self._has_clock = not flags & _NO_TIMESTAMPS
        self._promise = Promise(self._container, stream, frame_s)
        self._picture_count = 0
        self._last_picture_s = time.monotonic()
        self._ended = False
        self._broken: SourceError | None = None

    def read(self) -> Shot | None:
        """See `Source.read`."""
        while not self._ready:
            if self._ended:
                broken, self._broken = self._broken, None
                if broken is not None:
                    raise broken
                return None
            self._read_packet()
        picture, arrival = self._ready.popleft()
        at_s = self._time_of(picture, arrival.at_s)
        return Shot(partial(bgr, picture), at_s, arrival.waited_s, self._has_clock)

    def close(self) -> None:
        """See `Source.close`."""
        self._packets = iter(())
        self._ready.clear()
        self._ended, self._broken = True, None
        self._container.close()

    def _read_packet(self) -> None:
        """Reads a packet, and decodes the pictures that it completes."""
        asked_s = time.monotonic()
        try:
            packet = next(self._packets, None)
        except (OSError, av.FFmpegError) as error:
            packet, self._broken = None, source_error(self._source, error)
        now_s = time.monotonic()
        arrival = _Arrival(now_s, now_s - asked_s)
        if packet is None:
            self._ended = True
            self._take([] if self.live else self._decoding.rest(), arrival)
            self._broken = self._broken or self._shortfall()
        elif packet.size:  # an empty one repeats the last frame, or marks the end
            self._promise.read(packet)
            self._take(self._decoding.pictures(packet), arrival)

    def _take(self, pictures: list[VideoFrame], arrival: _Arrival) -> None:
        if pictures:
            self._last_picture_s = arrival.at_s
            self._picture_count += len(pictures)
            self._ready += [(picture, arrival) for picture in pictures]
        elif self.live and arrival.at_s - self._last_picture_s > _BLIND_AFTER_S:
            shown, codec = redacted(self._source), self._decoding.codec
            raise SourceError(
                f"{shown}: what it sends cannot be decoded ({codec}).", temporary=True
            )

    def _time_of(self, picture: VideoFrame, arrived_s: float) -> float:
        stamp_s = picture.time if self._has_clock else None
        if self.live:
            return self._live_time.taken_s(stamp_s, arrived_s)
        return self._film_time.at_s(stamp_s)

    def _shortfall(self) -> SourceError | None:
        """Returns the error of a film without pictures, or with fewer than its header promises."""
        shown = redacted(self._source)
        if self.live:
            return None
        if not self._picture_count:
            codec = self._decoding.codec
            return SourceError(f"{shown}: no picture of it can be decoded ({codec}).")
        text = self._promise.broken_by(self._picture_count, self._decoding.damaged_count)
        return SourceError(f"{shown}: {text}. Is it a whole copy?") if text else None


def _opened(source: str) -> av.container.InputContainer:
    # A colon in the name of a file must not make it the address of a protocol.
    name = source if "://" in source else f"file:{source}"
    options = _OPTIONS_OF_ADDRESSES if is_address(source) else {}
    began_s = time.monotonic()
    try:
        return av.open(name, timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S), container_options=options)
    except (OSError, av.FFmpegError) as error:
        is_late = is_address(source) and time.monotonic() - began_s > _OPEN_TIMEOUT_S
        # RTSP has another error for what is late.
        fault = too_late(source) if is_late else source_error(source, error)
    raise fault  # not from FFmpeg's error: tracebacks would show its text, which has the whole address


def _stated_rate(stream: Any) -> Fraction | None:
    """Returns the frames a second that a live stream states; a guess would need many frames."""
    rate: Fraction | None = stream.codec_context.framerate or stream.average_rate
    return rate


def _pictures_of(container: av.container.InputContainer, source: str) -> Any:
    """Returns the first stream of moving pictures: a cover's is none."""
    cover = av.stream.Disposition.attached_pic
    moving = (each for each in container.streams.video if cover not in each.disposition)
    stream = next(moving, None)
    if stream is None:
        raise no_pictures(source)
    if stream.codec_context is None:
        raise no_decoder(source)
    return stream
