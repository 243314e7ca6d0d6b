"""Tracks, the journal of their events and the records of streams that broke off, for `fakes.server`.

A person is followed as long as the picture stays the same; the verdict about it stands at once.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from facewire.v1 import face_pb2, recognition_pb2

__all__ = ["FakeJournal", "FakeTracks"]

_SAME = 0.99
"""Similarity of two pictures from which on a track goes on."""


@dataclass
class _Track:
    probe: np.ndarray
    event: recognition_pb2.TrackEvent


class FakeTracks:
    """The tracks of one stream: at most one at a time, since a picture shows at most one face."""

    def __init__(self, journal: "FakeJournal", config: recognition_pb2.StreamConfig) -> None:
        self.last_sequence = 0
        self._journal = journal
        self._config = config
        self._track: _Track | None = None
        self._left: list[_Track] = []

    def see(
        self, frame: recognition_pb2.Frame, probe: np.ndarray, face: face_pb2.Face | None
    ) -> list[recognition_pb2.TrackEvent]:
        """The events of a frame; its face gets its track, and the track the face's decision."""
        self.last_sequence = frame.sequence
        events = []
        track = self._track
        if track is not None and (face is None or float(track.probe @ probe) < _SAME):
            events.append(self._change(track, "ENDED", "LOST"))
            self._left.append(track)
            track = None
        if face is not None and track is None:
            track = self._begun(frame, probe)
            events.append(self._change(track, "TENTATIVE", "APPEARED"))
        if face is not None and track is not None:
            face.track_id, face.evidence_sequence = track.event.track_id, frame.sequence
            track.event.last_sequence, track.event.last_seen_us = frame.sequence, _now_us()
            before, now = track.event.decision, face.decision
            if (before.outcome, before.identity_id) != (now.outcome, now.identity_id):
                if before.identity_id:
                    track.event.previous_identity_id = before.identity_id
                    track.event.decision.Clear()
                    events.append(self._change(track, "RETRACTED", "GALLERY_CHANGED"))
                    track.event.previous_identity_id = ""
                track.event.decision.CopyFrom(now)
                events.append(self._change(track, "CONFIRMED", "EVIDENCE"))
        self._track = track
        return events

    def end(self) -> list[recognition_pb2.TrackEvent]:
        """The last events of a stream whose frames have ended."""
        track, self._track = self._track, None
        return [] if track is None else [self._change(track, "ENDED", "STREAM_ENDED")]

    def _begun(self, frame: recognition_pb2.Frame, probe: np.ndarray) -> _Track:
        track_id = self._journal.new_track_id()
        same = [left for left in self._left if float(left.probe @ probe) >= _SAME]
        event = recognition_pb2.TrackEvent(
            camera_id=self._config.camera_id,
            gallery_id=self._config.gallery_id,
            track_id=track_id,
            visit_id=same[-1].event.visit_id if same else track_id,
            first_sequence=frame.sequence,
            last_sequence=frame.sequence,
            first_seen_us=_now_us(),
            last_seen_us=_now_us(),
        )
        return _Track(probe, event)

    def _change(self, track: _Track, state: str, reason: str) -> recognition_pb2.TrackEvent:
        track.event.state = getattr(recognition_pb2, f"TRACK_STATE_{state}")
        track.event.reason = getattr(recognition_pb2, f"TRACK_REASON_{reason}")
        sent = recognition_pb2.TrackEvent()
        sent.CopyFrom(track.event)
        sent.decision.ClearField("template_id")
        sent.decision.ClearField("candidates")
        return self._journal.record(sent)


class FakeJournal:
    """Events in the order of their numbers, and what of broken streams is kept.

    Attributes:
        events: those that are kept.
        lost_before: events up to this one are no longer kept.
        crops: by track.
    """

    def __init__(self) -> None:
        self.events: list[recognition_pb2.TrackEvent] = []
        self.lost_before = 0
        self.crops: dict[int, recognition_pb2.GetTrackCropResponse] = {}
        self._numbers = count(1000)
        self._tokens = count(1)
        self._streams: dict[bytes, FakeTracks] = {}
        self._changed = threading.Condition()

    @property
    def last_event(self) -> int:
        return self.events[-1].event_id if self.events else 999

    def new_track_id(self) -> int:
        return next(self._numbers)

    def record(self, event: recognition_pb2.TrackEvent) -> recognition_pb2.TrackEvent:
        with self._changed:
            event.event_id, event.server_time_us = next(self._numbers), _now_us()
            self.events.append(event)
            self._changed.notify_all()
        return event

    def claim(self, config: recognition_pb2.StreamConfig) -> tuple[bytes, FakeTracks]:
        """The token and the tracks of a stream: of the one that broke off, or new ones."""
        known = self._streams.get(config.resume_token)
        if known is not None:
            return config.resume_token, known
        token = b"token %d" % next(self._tokens)
        self._streams[token] = FakeTracks(self, config)
        return token, self._streams[token]

    def forget(self) -> None:
        """Forgets all streams that broke off."""
        self._streams.clear()

    def watch(
        self, request: recognition_pb2.WatchTracksRequest, last: int, context: Any
    ) -> Iterator[recognition_pb2.TrackEvent]:
        """Yields what a feed sends after event `last`, until the client goes or, if it wants so, to the end of what is kept."""
        context.add_callback(self._wake)
        until = self.last_event if request.kept_only else None
        while context.is_active():
            with self._changed:
                later = [event for event in self.events if last < event.event_id]
                if until is not None:
                    later = [event for event in later if event.event_id <= until]
                elif not later:
                    self._changed.wait_for(
                        lambda last=last: (  # type: ignore[misc] # mypy cannot infer a lambda's default
                            not context.is_active() or self.last_event > last
                        )
                    )
                    continue
            for event in later:
                last = event.event_id
                if _is_wanted(event, request):
                    yield event
            if until is not None:
                return

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _is_wanted(
    event: recognition_pb2.TrackEvent, request: recognition_pb2.WatchTracksRequest
) -> bool:
    people = {event.decision.identity_id, event.previous_identity_id}
    return (
        (not request.camera_ids or event.camera_id in request.camera_ids)
        and (not request.identity_ids or bool(people & set(request.identity_ids)))
        and (not request.states or event.state in request.states)
    )


def _now_us() -> int:
    return time.time_ns() // 1000
