"""Which events of a camera its follower has handed out, over breaks in which some may have been lost on the way."""

from collections.abc import Iterable

from facewire._values.errors import NotSupportedError
from facewire._values.tracks import TrackEvent

__all__ = ["HandedOut", "not_followed"]


class HandedOut:
    """The events that were handed out.

    A server records an event before it sends it. One that was on its way when the connection broke is read afterwards from
    what the server keeps; it may come on the new stream, too.

    Attributes:
        last_event: the last one; 0 before the first.
    """

    def __init__(self) -> None:
        self.last_event = 0
        self._kept_ids: set[int] = set()

    def take_kept(self, events: Iterable[TrackEvent]) -> list[TrackEvent]:
        """Returns events that the server had kept, all of them new."""
        found = list(events)
        self._kept_ids = {event.event_id for event in found}
        self.last_event = max([self.last_event, *self._kept_ids])
        return found

    def take(self, event: TrackEvent) -> bool:
        """Returns whether an event of the stream is new."""
        if event.event_id in self._kept_ids:
            return False
        self.last_event = max(self.last_event, event.event_id)
        return True


def not_followed(error: NotSupportedError) -> NotSupportedError:
    """Returns the error of a server that has no tracks."""
    return NotSupportedError(
        error.detail,
        advice="This server follows no faces. Use Client.stream: it names those of each frame.",
        reason=error.reason,
    )
