"""What a film's header says of its length, and whether the film kept it."""

from typing import Any

import av

__all__ = ["JOINABLE", "Promise"]

JOINABLE = 0x200
"""FFmpeg's AVFMT_TS_DISCONT: of formats whose pieces can be joined end to end."""

_TOLERANCE = 0.05
"""Part of the duration in the header that may be missing, since encoders round it. Chosen, not measured."""

_TOLERANCE_FRAMES = 3
"""Frames that may be missing where only the duration is stated. Chosen, not measured: the last frame of some films is
counted, but has no duration."""


class Promise:
    """Counts the packets of a film against its header, which was written when the film was whole.

    MP4 lists each packet, unless it is written in fragments. Others state a duration, but for formats whose pieces can
    be joined: those have no header for the whole.

    Packets are counted rather than pictures: an edit list hides pictures that are there, for cuts without encoding.

    Args:
        container: as PyAV opened it.
        stream: that of the pictures.
        frame_s: one frame's time, seconds.
    """

    def __init__(self, container: Any, stream: Any, frame_s: float) -> None:
        self._time_base = float(stream.time_base or 0)
        self._frame_s = frame_s
        self._packet_count = 0
        self._end_s = 0.0
        kinds, flags = set(container.format.name.split(",")), container.format.flags
        self._frame_count = stream.frames
        self._listed_count = stream.frames if "mp4" in kinds else 0
        self._due_s = 0.0  # the end by the header, as time stamps count
        if "avi" in kinds:
            self._due_s = stream.frames / float(stream.average_rate or 1)
        elif "matroska" in kinds:
            self._due_s = _seconds(stream.metadata.get("DURATION", ""))
        elif "flv" in kinds and len(container.streams) == 1:  # the sound may be longer
            self._due_s = (container.duration or 0) / av.time_base
        elif not self._listed_count and stream.duration and not flags & JOINABLE:
            self._due_s = ((stream.start_time or 0) + stream.duration) * self._time_base

    def read(self, packet: Any) -> None:
        """Counts a packet."""
        self._packet_count += 1
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None:
            self._end_s = max(self._end_s, (stamp + (packet.duration or 0)) * self._time_base)

    def broken_by(self, picture_count: int, damaged_count: int) -> str:
        """Returns what is missing at the end of the film; an empty text if nothing is.

        Args:
            picture_count: pictures that were decoded.
            damaged_count: packets that could not be.
        """
        listed = self._listed_count
        if self._packet_count < listed:
            return f"it ends after {picture_count} of {listed} frames"
        if damaged_count and picture_count < listed:
            return f"of its {listed} frames {picture_count} can be decoded"
        tolerance_s = max(_TOLERANCE * self._due_s, _TOLERANCE_FRAMES * self._frame_s)
        if self._due_s - self._end_s <= tolerance_s:
            return ""
        if self._frame_count and abs(picture_count * self._frame_s - self._end_s) <= tolerance_s:
            return f"it ends after {picture_count} of {self._frame_count} frames"
        return f"it ends after {self._end_s:.1f} of {self._due_s:.1f} s"


def _seconds(text: str) -> float:
    """Returns the seconds of HH:MM:SS.FRACTION, as Matroska's tags have it; 0 for any other text."""
    try:
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds
