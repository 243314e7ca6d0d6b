"""The tracks of one stream that have not ended, and the people who left: how tracks begin, end, and are bounded."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.appearance import Away, Departed
from facewire_server.streams.tracks.frame_times import FrameTimes
from facewire_server.streams.tracks.track import Track
from facewire_server.streams.tracks.values import TrackRecord

__all__ = ["OpenTracks"]

_MOST_TRACKS: Final = 512
"""Most tracks that have not ended; of more, those that were not seen for longest end. Twice the faces of one frame."""


class OpenTracks:
    """The open tracks, in the order in which they began."""

    def __init__(self, new_id: Callable[[], int]) -> None:
        """Starts without tracks.

        Args:
            new_id: returns a positive id that was never used before.
        """
        self._new_id = new_id
        self._tracks: dict[int, Track] = {}
        self._departed = Departed()
        self._ended: list[int] = []
        self._times = FrameTimes()

    def __iter__(self) -> Iterator[Track]:
        return iter(self._tracks.values())

    def __contains__(self, track: Track) -> bool:
        return track.track_id in self._tracks

    def begin(self, box: NDArray[np.float64], at_s: float) -> Track:
        """Adds the track of a face that continues none.

        Args:
            box: (4,) float64 pixels.
            at_s: time of the frame, seconds.
        """
        track_id = self._new_id()
        self._tracks[track_id] = track = Track(track_id, track_id, box, np.zeros(2), at_s)
        return track

    def restore(self, record: TrackRecord, at_s: float) -> None:
        """Adds a track of another process, as `Tracker.restore` describes."""
        self._tracks[record.track_id] = Track.of_record(record, at_s)

    def away(self) -> Away:
        """Returns the people who left and can come back; who is in the picture has not left."""
        return self._departed.away({track.visit_id for track in self if track.is_visible})

    def end_unseen(self, at_s: float, *, is_frame: bool) -> None:
        """Ends the tracks that were not seen for long.

        Args:
            at_s: now, seconds.
            is_frame: a frame is about to be worked on, which may be the first to show that the stream is slow.
        """
        after_s = self._times.end_after_s(at_s if is_frame else None)
        self.end([track for track in self if at_s - track.seen_at_s > after_s])
        self._departed.forget_before(at_s)

    def saw(self, at_s: float) -> None:
        """Takes note that a frame was worked on, and ends tracks if they are too many: none that is visible."""
        self._times.add(at_s)
        hidden = [track for track in self if not track.is_visible]
        excess = min(len(self._tracks) - _MOST_TRACKS, len(hidden))
        if excess > 0:
            self.end(sorted(hidden, key=lambda track: track.seen_at_s)[:excess])

    def end(self, tracks: Iterable[Track]) -> None:
        """Ends tracks; who was embedded is remembered for a while."""
        for track in tracks:
            del self._tracks[track.track_id]
            self._departed.add(track)
            self._ended.append(track.track_id)

    def take_ended(self) -> tuple[int, ...]:
        """Returns the ids of the tracks that ended since the last call."""
        ended, self._ended = tuple(self._ended), []
        return ended
