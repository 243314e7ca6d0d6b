"""Where a feed of track events stands: what is asked for next, and which of what comes is new."""

from typing import Any

from facewire._values.errors import UnavailableError
from facewire._values.tracks import TrackEvent
from facewire._wire.read_tracks import read_track_event
from facewire.v1 import recognition_pb2

__all__ = ["FeedPosition"]

_AFTER_EVENT = "facewire-after-event"
"""The key of the response headers that name the event which a feed follows."""


class FeedPosition:
    """The position of a feed over all its calls.

    Attributes:
        loss_count: how often events between two that were handed out, or before the first one, were no longer kept.
    """

    def __init__(self, request: recognition_pb2.WatchTracksRequest) -> None:
        self.loss_count = 0
        self._request = request
        self._was_open = False

    @property
    def is_at_end(self) -> bool:
        """Whether the end of a call is the end of the feed."""
        return self._request.kept_only

    def request(self) -> recognition_pb2.WatchTracksRequest:
        """Returns the request of the next call."""
        if self._was_open and not self._request.after_event:
            # "From now on" would be a later now; the server does not say where the call before began.
            self.loss_count += 1
        return self._request

    def opened(self, headers: Any) -> None:
        """Takes the response headers of a call: of one that begins now they say after which event."""
        self._was_open = True
        # Pairs, not `dict(headers)`: asyncio's metadata of grpcio 1.74 has `keys`, and no item for a key that they iterate over.
        after = next((value for key, value in headers or () if key == _AFTER_EVENT), "")
        if not self._request.after_event and str(after).isdecimal():
            self._request.after_event = int(after)

    def read(self, message: recognition_pb2.WatchTracksResponse) -> TrackEvent | None:
        """Returns the event of a message; None if it was handed out before: a server sends each at least once."""
        self._was_open = True
        self.loss_count += message.events_lost
        # A server that lost its journal, and whose clock was set back, begins with a lower number, and says so.
        if message.event.event_id <= self._request.after_event and not message.events_lost:
            return None
        self._request.after_event = message.event.event_id
        return read_track_event(message.event)

    def ended(self, target: str) -> UnavailableError:
        """Returns the error of a call that ended with OK, and should go on."""
        return UnavailableError(f"{target}: the server ended the feed.", advice="Open a new one.")
