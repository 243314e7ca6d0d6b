"""Counts the outcomes of one stream's frames, and emits them as events."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final, NamedTuple

from facewire_server.errors import ServerError, UndecodableImage
from facewire_server.events import (
    Emit,
    FrameAccounted,
    FrameDamaged,
    FrameLookedAt,
    FrameRead,
    FramesSkipped,
    TrackChanged,
    ignore,
)
from facewire_server.streams.values import Answered, Arrival, Frame, Skipped, SkipReason
from facewire_server.types import DetectionMode, Recognition, TrackEvent, TrackReason

__all__ = ["SessionStatistics", "Settled", "Tally", "settled"]

_TIMES_KEPT: Final = 1024
"""Latest frames whose time counts for the median. Chosen, not measured: minutes of a camera, 30 KB."""


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """One stream at one moment. Counts are since its start.

    Attributes:
        camera_id: as the client named it; "" before the config was read.
        is_read_to_end: no more frames will be read: half-closed, or draining.
        byte_count: bytes of the pictures read.
        outstanding: frames read and not accounted for.
        waiting: of these, frames that wait for a slot.
        unsent: answers and ranges of skipped frames that wait to be sent.
        recognized: frames answered with a recognition.
        failed: frames answered with an error, by the error's class.
        skipped: skipped frames, by reason.
        searched: of those recognized, frames in which the whole picture was searched.
        tracks: tracks that began.
        median_s: median time from a frame's arrival to its answer, of the last 1,024 recognized
            frames; 0 without any.
    """

    camera_id: str
    is_read_to_end: bool
    byte_count: int
    outstanding: int
    waiting: int
    unsent: int
    recognized: int
    failed: Mapping[type[ServerError], int] = field(default_factory=dict)
    skipped: Mapping[SkipReason, int] = field(default_factory=dict)
    searched: int = 0
    tracks: int = 0
    median_s: float = 0.0


class Settled(NamedTuple):
    """The answer to a frame, the time of the frame's arrival, and the recorded events that are sent before the answer."""

    answer: Answered
    read_at_s: float
    events: tuple[TrackEvent, ...] = ()


def settled(arrival: Arrival, result: Recognition | ServerError) -> Settled:
    """Returns the answer to a frame that arrived."""
    frame, read_at_s = arrival
    return Settled(Answered(frame.sequence, frame.captured_at_us, result), read_at_s)


class Tally:
    """Counts the frames of one stream, and emits an event for each.

    Attributes:
        camera_id: of the stream; "" until its plan is read.
        byte_count: bytes of the pictures read.
        recognized: frames answered with a recognition.
        failed: frames answered with an error, by the error's class.
        skipped: skipped frames, by reason.
        searched: of those recognized, frames in which the whole picture was searched.
        tracks: tracks that began.
    """

    def __init__(self, emit: Emit = ignore) -> None:
        self.camera_id = ""
        self.byte_count = 0
        self.recognized = 0
        self.failed: Counter[type[ServerError]] = Counter()
        self.skipped: Counter[SkipReason] = Counter()
        self.searched = 0
        self.tracks = 0
        self._emit = emit
        self._has_reported_damage = False
        self._times_s: deque[float] = deque(maxlen=_TIMES_KEPT)

    @property
    def median_s(self) -> float:
        """Median time of the last 1,024 recognized frames, seconds; 0 without any."""
        return median(self._times_s) if self._times_s else 0.0

    def read(self, frame: Frame) -> None:
        """Counts a frame that was read."""
        self.byte_count += frame.byte_count
        self._emit(FrameRead(self.camera_id, frame.byte_count))

    def account(self, entry: Settled | Skipped) -> Answered | Skipped:
        """Counts the outcome of a frame, or of a range, and returns the value to send."""
        if isinstance(entry, Skipped):
            self.skipped[entry.reason] += entry.frame_count
            self._emit(FramesSkipped(self.camera_id, entry.reason.name, entry.frame_count))
            return entry
        result = entry.answer.result
        error = type(result) if isinstance(result, ServerError) else None
        if isinstance(result, Recognition):
            self.recognized += 1
            self._times_s.append(result.timings.total_s)
            self._count_look(result)
        else:
            self.failed[type(result)] += 1
        self._report_damage(result)
        self._emit(FrameAccounted(self.camera_id, time.perf_counter() - entry.read_at_s, error))
        return entry.answer

    def changed(self, event: TrackEvent) -> None:
        """Counts a track event that was recorded."""
        self.tracks += event.reason is TrackReason.APPEARED
        self._emit(TrackChanged(self.camera_id, event.state.name, event.reason.name))

    def _count_look(self, recognition: Recognition) -> None:
        mode = recognition.detection_mode
        self.searched += mode is DetectionMode.SEARCHED
        faces, embedded = len(recognition.faces), recognition.embedded_count
        self._emit(FrameLookedAt(self.camera_id, mode.name, faces, embedded))

    def _report_damage(self, result: Recognition | ServerError) -> None:
        """Emits the first of the stream's damages: a camera that sends one sends many."""
        is_read = isinstance(result, Recognition)
        if isinstance(result, Recognition):
            detail = result.remark
        else:
            detail = str(result) if isinstance(result, UndecodableImage) else ""
        if detail and not self._has_reported_damage:
            self._has_reported_damage = True
            self._emit(FrameDamaged(self.camera_id, detail, is_read))
