"""Follows one camera for as long as it runs: frames go to the server, events come back."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Self

from facewire._sync.opened import Opened
from facewire._sync.stream import Stream
from facewire._sync.track_feed import TrackFeed
from facewire._values.errors import NotSupportedError
from facewire._values.tracks import TrackEvent
from facewire._wire.handed_out import HandedOut, not_followed

if TYPE_CHECKING:
    from facewire.video import Camera

__all__ = ["CameraFollower"]


class CameraFollower(Opened):
    """Follows one camera: an iterator of `TrackEvent`, for months.

    It opens with the first event asked for, or with a `with` block, which also closes it. A camera or a server
    that is absent, at the start or later, is waited for; the stream is resumed, so that a person in front of the camera
    stays one visit. No event is returned twice. What was on its way when the connection broke is read afterwards from the
    events that the server keeps, but for a break before the first event. The iteration ends with a film. It raises:

    * facewire.video.SourceError: the source cannot be opened, and waiting would not help: a wrong password;
    * NotSupportedError: the server has no tracks;
    * any other FacewireError that is not `retryable`.
    """

    def __init__(
        self,
        open_camera: Callable[[], "Camera"],
        open_stream: Callable[["Camera"], Stream],
        kept_events: Callable[[int], TrackFeed],
    ) -> None:
        self._open_camera = open_camera
        self._open_stream = open_stream
        self._kept_events = kept_events
        self._camera: Camera | None = None
        self._stream: Stream | None = None
        self._kept: TrackFeed | None = None
        self._reopen_count = 0
        self._has_ended = False
        self._handed = HandedOut()
        self._due: deque[TrackEvent] = deque()
        self._closed = threading.Event()

    def open(self) -> Self:
        """Opens the camera and the stream, if they are not open.

        Raises:
            ValueError: this is closed.
            SourceError, FacewireError: as of the iteration.
        """
        stream = self._opened()
        if stream is None:
            raise ValueError("this follower is closed")
        try:
            stream.open()
        except NotSupportedError as error:
            self.close()
            raise not_followed(error) from error
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Ends the stream and frees the camera. May be called again, and from another thread."""
        self._closed.set()
        if (stream := self._stream) is not None:
            stream.close()
        if (kept := self._kept) is not None:  # it waits for a server that is gone again
            kept.close()
        if (camera := self._camera) is not None:
            camera.close()

    def __next__(self) -> TrackEvent:
        while not self._closed.is_set():
            if self._due:
                return self._due.popleft()
            if self._has_ended:
                self.close()
            elif (stream := self._opened()) is not None:
                self._step(stream)
        raise StopIteration

    def _opened(self) -> Stream | None:
        """Returns the stream, which it makes with the camera; None if this is closed, also meanwhile."""
        if self._camera is None and not self._closed.is_set():
            self._camera = self._open_camera()
            self._stream = self._open_stream(self._camera)
        if self._closed.is_set():
            self.close()
            return None
        return self._stream

    def _step(self, stream: Stream) -> None:
        """Takes one result of the stream."""
        try:
            result = next(stream, None)
            if stream.reopen_count > self._reopen_count:
                self._catch_up()
                self._reopen_count = stream.reopen_count
        except NotSupportedError as error:
            self.close()
            raise not_followed(error) from error
        except BaseException:
            self.close()
            raise
        if result is None:
            self._has_ended = True  # what was missed is still to be returned
        elif isinstance(result, TrackEvent) and self._handed.take(result):
            self._due.append(result)

    def _catch_up(self) -> None:
        if not self._handed.last_event:
            return
        self._kept = self._kept_events(self._handed.last_event)
        if not self._closed.is_set():  # else too early for `close` to see the feed
            with suppress(NotSupportedError), closing(self._kept) as kept:
                self._due.extend(self._handed.take_kept(kept))
