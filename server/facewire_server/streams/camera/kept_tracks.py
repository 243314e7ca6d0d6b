"""Where a track is, as numbers that a journal keeps for the stream that goes on with it."""

import time

from facewire_server.streams.journal import OpenTrack
from facewire_server.streams.tracks import TrackRecord

__all__ = ["numbers_of", "track_record"]


def numbers_of(record: TrackRecord) -> tuple[float, ...]:
    """Returns the box, the velocity, since when it was not seen, and when these numbers were made (seconds since 1970)."""
    return (*record.box, *record.velocity_px, record.unseen_s, time.time())


def track_record(track: OpenTrack) -> TrackRecord | None:
    """Returns what the tracker needs to carry a track on; None if the journal does not know where it is."""
    if len(track.numbers) != _COUNT:
        return None
    x1, y1, x2, y2, across, down, unseen_s, made_at_s = track.numbers
    unseen_s += max(0.0, time.time() - made_at_s)
    event = track.event
    return TrackRecord(event.track_id, event.visit_id, (x1, y1, x2, y2), (across, down), unseen_s)


_COUNT = 8
"""Numbers of a track."""
