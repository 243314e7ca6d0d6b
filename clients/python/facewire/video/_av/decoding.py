"""Decodes the packets of one stream into whole pictures."""

from typing import Any

import av
from av.video.frame import VideoFrame

from facewire.video._av.pictures import Deinterlacer
from facewire.video._av.stamps import BestStamp

__all__ = ["Decoding"]


class Decoding:
    """The decoder of a stream, and the deinterlacer behind it.

    Args:
        stream: as PyAV opened it.
        live: whether each picture must come out at once. Otherwise several threads decode, and each of them holds a
            picture back.

    Attributes:
        codec: the decoder's name.
        damaged_count: packets that could not be decoded.
    """

    def __init__(self, stream: Any, *, live: bool) -> None:
        self.damaged_count = 0
        self._time_base = stream.time_base
        self._context = stream.codec_context
        self.codec: str = self._context.name
        self._best_stamp = BestStamp()
        self._deinterlacer = Deinterlacer()
        if live:
            self._context.thread_count = 1
            self._context.flags |= av.codec.context.Flags.low_delay
        else:
            self._context.thread_type = "AUTO"

    def pictures(self, packet: Any) -> list[VideoFrame]:
        """Returns the pictures that a packet completes, in the order of their times."""
        return [
            picture
            for frame in self._decoded(packet)
            for picture in self._deinterlacer.pictures(frame)
        ]

    def rest(self) -> list[VideoFrame]:
        """Returns the pictures that were held back, at the end of the stream."""
        return [*self.pictures(None), *self._deinterlacer.rest()]

    def _decoded(self, packet: Any) -> list[VideoFrame]:
        try:
            frames: list[VideoFrame] = self._context.decode(packet)
        except (OSError, av.FFmpegError):  # a damaged packet costs itself
            self.damaged_count += 1
            return []
        for frame in frames:
            frame.pts = self._best_stamp.of(frame.pts, frame.dts)
            frame.time_base = self._time_base  # PyAV before 18 leaves it out at the end of a film
        return frames
