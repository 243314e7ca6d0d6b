"""Where a track is, as numbers that a journal keeps for the stream that goes on with it."""

import time
from typing import Final

from facewire_server.streams.journal import OpenTrack
from facewire_server.streams.tracks import TrackRecord

__all__ = ["numbers_of", "track_record"]

_AWAY_COUNTS_S: Final = 1.0
"""Most seconds without a stream that count as unseen: while the server was away it could see no one, and a track would end before the
first frame. The second that is left of the two is for that frame and the ones behind it. Chosen, not measured."""

_STRANGER_S: Final = 10.0
"""Longest time without a stream after which a person without a name goes on with the visit: without an embedding nothing shows that it is the
same one. Chosen, not measured: a server is back in some seconds."""


def numbers_of(record: TrackRecord) -> tuple[float, ...]:
    """Returns the box, the velocity, since when it was not seen, and when these numbers were made (seconds since 1970)."""
    return (*record.box, *record.velocity_px, record.unseen_s, time.time())


def track_record(track: OpenTrack) -> TrackRecord | None:
    """Returns what the tracker needs to carry a track on; None if the journal does not know where it is."""
    if len(track.numbers) != _COUNT:
        return None
    x1, y1, x2, y2, across, down, unseen_s, made_at_s = track.numbers
    event, away_s = track.event, max(0.0, time.time() - made_at_s)
    if event.decision.identity is not None or away_s <= _STRANGER_S:
        away_s = min(away_s, _AWAY_COUNTS_S)
    unseen_s += away_s
    return TrackRecord(event.track_id, event.visit_id, (x1, y1, x2, y2), (across, down), unseen_s)


_COUNT = 8
"""Numbers of a track."""
