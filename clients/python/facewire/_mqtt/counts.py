"""How many people are before each camera, of the events so far: those in view, and of these who is known and who is unknown."""

from collections import Counter, OrderedDict

from facewire import Outcome, TrackEvent, TrackState
from facewire._mqtt.names import key_of

__all__ = ["COUNTS", "PeopleCounts"]

COUNTS = {"people": "people", "known": "known people", "unknown": "unknown people"}
"""What is counted: keys of the published JSON, and how the sensors are called behind a camera's name."""

_MOST_TRACKS = 4096
"""Most tracks that are open at a time: those of which the end was lost must not grow without bound."""


class PeopleCounts:
    """Open tracks by camera. A track that is not confirmed, or whose name was taken back, counts as "people" alone."""

    def __init__(self) -> None:
        self._tracks: OrderedDict[int, tuple[str, Outcome | None]] = OrderedDict()

    def is_changed_by(self, event: TrackEvent) -> bool:
        """Notes an event; returns whether it changes the counts of its camera."""
        before = self._tracks.pop(event.track_id, None)
        after = None
        if event.state is not TrackState.ENDED:
            is_decided = event.state is TrackState.CONFIRMED
            after = key_of(event.camera_id), event.decision.outcome if is_decided else None
            self._tracks[event.track_id] = after
        if len(self._tracks) > _MOST_TRACKS:
            self._tracks.popitem(last=False)
        return before != after

    def of(self, camera: str) -> dict[str, int]:
        """Returns how many people are before the camera of a key: an integer for each of `COUNTS`."""
        outcomes = Counter(outcome for where, outcome in self._tracks.values() if where == camera)
        return {
            "people": outcomes.total(),
            "known": outcomes[Outcome.KNOWN],
            "unknown": outcomes[Outcome.UNKNOWN],
        }

    def forget_tracks(self) -> None:
        """Takes all tracks as ended: events were lost, perhaps their ends."""
        self._tracks.clear()
