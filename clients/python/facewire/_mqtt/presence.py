"""Which cameras there are, and which person is before which: what Home Assistant shows, of the events so far."""

from collections import OrderedDict
from collections.abc import Iterable

from facewire import TrackEvent, TrackState
from facewire._mqtt.names import key_of, person_key

__all__ = ["Presence"]

_MOST_CAMERAS = 256
"""Most cameras that are announced. Chosen, not measured: a name is the stream's own, so a client could make up any number."""

_MOST_PEOPLE = 1000
"""Most people with a sensor. Chosen, not measured: Home Assistant keeps each as an entity."""

_MOST_TRACKS = 4096
"""Most tracks that are open at a time: those of which the end was lost must not grow without bound."""


class Presence:
    """What the events so far say.

    Attributes:
        cameras: the name of each camera, by its key.
        people: id, or name, of each person who has a sensor, by their key.
    """

    def __init__(self, *, with_names: bool) -> None:
        self.cameras: dict[str, str] = {}
        self.people: dict[str, str] = {}
        self._with_names = with_names
        self._tracks: OrderedDict[int, tuple[str, str]] = OrderedDict()

    def is_new_camera(self, event: TrackEvent) -> bool:
        """Notes the camera of an event; returns whether it has to be announced."""
        return self.remember([event.camera_id])

    def remember(self, names: Iterable[str]) -> bool:
        """Notes cameras of which no event has come; returns whether one was new."""
        before = len(self.cameras)
        for name in names:
            if len(self.cameras) < _MOST_CAMERAS:
                self.cameras.setdefault(key_of(name), name)
        return len(self.cameras) > before

    def is_new_person(self, event: TrackEvent) -> bool:
        """Notes a person who is recognized; returns whether the sensor, or its name, has to be announced."""
        if not event.known:
            return False
        key = person_key(event.gallery_id, event.decision.identity_id)
        shown = (event.name if self._with_names else "") or event.decision.identity_id
        if self.people.get(key) == shown:
            return False
        if key not in self.people and len(self.people) >= _MOST_PEOPLE:
            return False
        self.people[key] = shown
        return True

    def changes(self, event: TrackEvent) -> dict[str, str | None]:
        """Returns the camera of each person whose place an event changes, by their key; None if they are nowhere."""
        before = self._tracks.pop(event.track_id, None)
        changed: dict[str, str | None] = {}
        if event.state is TrackState.RETRACTED and event.previous_identity_id:
            key = person_key(event.gallery_id, event.previous_identity_id)
            if key in self.people:
                changed[key] = self._elsewhere(key)
        if event.state is TrackState.CONFIRMED and event.known:
            key = person_key(event.gallery_id, event.decision.identity_id)
            if key in self.people:
                self._tracks[event.track_id] = key, event.camera_id
                changed[key] = event.camera_id
        if before is not None and before[0] not in changed and event.state is not TrackState.ENDED:
            changed[before[0]] = self._elsewhere(before[0])
        if len(self._tracks) > _MOST_TRACKS:
            self._tracks.popitem(last=False)
        return changed

    def present(self) -> dict[str, str]:
        """Returns the camera of each person who is before one now, by their key."""
        return dict(self._tracks.values())

    def forget_tracks(self) -> None:
        """Takes all tracks as ended: events were lost, perhaps their ends."""
        self._tracks.clear()

    def _elsewhere(self, key: str) -> str | None:
        return self.present().get(key)
