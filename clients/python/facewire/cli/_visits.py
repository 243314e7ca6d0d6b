"""Gathers a stream's results and events into visits: who was there, from when to when."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

from facewire import Face, FrameResult, FramesSkipped, TrackEvent, TrackReason, TrackState

__all__ = ["GAP_S", "RETURN_S", "Visit", "Visits", "clock", "span", "write_csv"]

GAP_S = 2.5
"""Seconds between two frames with a person that end a visit, if the server does not follow faces. Chosen, not measured: a face that
is missed in one frame of a slow camera (1 frame a second) is seen again after 2 s, up to half a second later if the camera is
not punctual, which ends nothing; and two visits to a door are two."""

RETURN_S = 60.0
"""Seconds after which a person who left does not continue the visit: the contract's, `TrackEvent.visit_id`."""

_UNKNOWN = "unknown"


@dataclass(slots=True)
class Visit:
    """A person's stay in front of the camera.

    Attributes:
        who: the person's name; "unknown" of a person who is in no gallery; "" as long as it is not decided.
        from_s: time of the first frame, seconds from the start of the source.
        to_s: time of the last frame.
        identity_id: the identity, or "".
        visit_id: the server's number; 0 if it does not follow faces.
        frame_count: frames that show the person.
        best_similarity: the highest of the decisions that named the person.
        from_time: when the first frame reached the server; None of a film.
        to_time: the same of the last frame.
    """

    who: str
    from_s: float
    to_s: float
    identity_id: str = ""
    visit_id: int = 0
    frame_count: int = 0
    best_similarity: float = 0.0
    from_time: datetime | None = None
    to_time: datetime | None = None

    def see(self, at_s: float, face: Face) -> None:
        """Adds a frame that shows the person; times do not decrease."""
        if not self.frame_count:
            self.from_s = at_s
        self.to_s = at_s
        self.frame_count += 1
        if face.known:
            self.best_similarity = max(self.best_similarity, face.decision.similarity)


@dataclass(slots=True)
class _Open:
    """A visit that may go on.

    Attributes:
        tracks: those of it that are visible.
        left_s: when the last one of them ended.
    """

    visit: Visit
    tracks: set[int] = field(default_factory=set)
    left_s: float = 0.0


class Visits:
    """The visits of one stream.

    A server that follows faces says who they are, by events: the frames of a track belong to its visit, also those before its
    person was decided on. Of one that does not, the names of single frames are joined (`GAP_S`).

    Attributes:
        ended: those that are over, in the order of their ends.
        undecided_count: faces that came and went before it was decided who they are.
    """

    def __init__(self, *, of_film: bool) -> None:
        self.ended: list[Visit] = []
        self.undecided_count = 0
        self._of_film = of_film
        self._now_s = 0.0
        self._open: dict[int, _Open] = {}
        self._visit_of: dict[int, int] = {}
        self._unfollowed: dict[str, Visit] = {}

    def add(self, result: FrameResult | FramesSkipped | TrackEvent) -> list[Visit]:
        """Adds a result of the stream, and returns the visits that are over now."""
        before = len(self.ended)
        if isinstance(result, TrackEvent):
            self._add_event(result)
        elif isinstance(result, FrameResult) and result.width_px:
            self._now_s = result.captured_at_us / 1e6
            for face in result.faces:
                if face.track_id:
                    self._opened(face.track_id).visit.see(self._now_s, face)
                elif face.known:
                    self._add_unfollowed(face)
            self._expire()
        return self.ended[before:]

    def finish(self) -> list[Visit]:
        """Ends all visits, and returns those that were open."""
        before = len(self.ended)
        for opened in self._open.values():
            self._end(opened.visit)
        self.ended += self._unfollowed.values()
        self._open.clear()
        self._unfollowed.clear()
        return self.ended[before:]

    def _add_event(self, event: TrackEvent) -> None:
        if event.state is TrackState.ENDED and event.track_id not in self._visit_of:
            return  # of a visit that is over
        opened = self._opened(event.track_id, event.visit_id)
        visit = opened.visit
        if not self._of_film:
            # Of the second person of a track it is known already: the track began with the first one.
            visit.from_time = visit.from_time or event.first_seen
            visit.to_time = max(visit.to_time or event.last_seen, event.last_seen)
        if event.state is TrackState.RETRACTED:
            if event.reason is TrackReason.SWAPPED:  # the person was there, and another one is now
                self._end(visit)
                opened.visit = self._begun(event.visit_id, event.server_time)
            else:
                visit.who = visit.identity_id = ""
        elif event.known or event.state is TrackState.CONFIRMED:
            visit.who = event.name or _UNKNOWN
            visit.identity_id = event.decision.identity_id
            visit.best_similarity = max(visit.best_similarity, event.decision.similarity)
        if event.state is TrackState.ENDED:
            opened.tracks.discard(event.track_id)
            self._visit_of.pop(event.track_id, None)
            opened.left_s = self._now_s

    def _opened(self, track_id: int, visit_id: int = 0) -> _Open:
        """Returns the visit of a track; without its event, which a lost connection may have taken, a visit of its own."""
        number = self._visit_of.setdefault(track_id, visit_id or track_id)
        if number not in self._open:
            self._open[number] = _Open(self._begun(number))
        self._open[number].tracks.add(track_id)
        return self._open[number]

    def _begun(self, visit_id: int, at: datetime | None = None) -> Visit:
        from_time = None if self._of_film else at
        return Visit("", self._now_s, self._now_s, visit_id=visit_id, from_time=from_time)

    def _add_unfollowed(self, face: Face) -> None:
        decision = face.decision
        visit = self._unfollowed.get(decision.identity_id)
        if visit is not None and self._now_s - visit.to_s >= GAP_S:
            self.ended.append(visit)
            visit = None
        now = None if self._of_film else datetime.now(UTC)
        if visit is None:
            name, identity_id = decision.display_name, decision.identity_id
            visit = Visit(name, self._now_s, self._now_s, identity_id, from_time=now)
            self._unfollowed[identity_id] = visit
        visit.to_time = now
        visit.see(self._now_s, face)

    def _expire(self) -> None:
        for number, opened in list(self._open.items()):
            # Also of a track whose end was lost with a connection.
            if self._now_s - max(opened.left_s, opened.visit.to_s) >= RETURN_S:
                self._end(self._open.pop(number).visit)
                for track_id in opened.tracks:
                    self._visit_of.pop(track_id, None)
        for identity_id, visit in list(self._unfollowed.items()):
            if self._now_s - visit.to_s >= GAP_S:
                self.ended.append(self._unfollowed.pop(identity_id))

    def _end(self, visit: Visit) -> None:
        if visit.who:
            self.ended.append(visit)
        else:
            self.undecided_count += 1


def write_csv(file: TextIO, visits: Iterable[Visit]) -> None:
    """Writes a row for each visit, in the order of their beginnings.

    Columns: who, from_s, to_s, frame_count, best_similarity, and of a live source from_time and to_time (ISO 8601, UTC).

    Args:
        file: open for text with newline="".
        visits: the rows.
    """
    writer = csv.writer(file)
    writer.writerow(
        ["who", "from_s", "to_s", "frame_count", "best_similarity", "from_time", "to_time"]
    )
    for each in sorted(visits, key=lambda visit: visit.from_s):
        seconds = f"{each.from_s:.2f}", f"{each.to_s:.2f}"
        times = [at.isoformat() if at else "" for at in (each.from_time, each.to_time)]
        writer.writerow(
            [each.who, *seconds, each.frame_count, f"{each.best_similarity:.3f}", *times]
        )


def span(visit: Visit) -> str:
    """From when to when: of a live source by the time of day here, of a film by its own time."""
    if visit.from_time is None or visit.to_time is None:
        return f"{clock(visit.from_s)}–{clock(visit.to_s)}"
    begin, end = visit.from_time.astimezone(), visit.to_time.astimezone()
    same_day = begin.date() == end.date()
    return f"{begin:%Y-%m-%d %H:%M:%S}–{end:{'%H:%M:%S' if same_day else '%Y-%m-%d %H:%M:%S'}}"


def clock(at_s: float) -> str:
    """Minutes and seconds: 75.25 is 1:15.2."""
    tenths = int(at_s * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
