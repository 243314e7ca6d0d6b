"""The feed of track events: a call that is made again whenever it is lost, and goes on after the last event."""

import threading
import weakref
from collections.abc import Callable
from typing import Any, Self

import grpc

from facewire._probing.explained import explained
from facewire._sync.channel import connect
from facewire._sync.opened import Opened
from facewire._values.errors import FacewireError
from facewire._values.tracks import TrackEvent
from facewire._wire.address import Address
from facewire._wire.feed_position import FeedPosition
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.reopening import Reopening
from facewire._wire.responses import too_late
from facewire._wire.retries import Deadline, Retries
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["TrackFeed"]


class TrackFeed(Opened):
    """The feed of track events: an iterator of `TrackEvent`, without end unless only kept events were asked for.

    It opens with the first event asked for, or with a `with` block, which also closes it. From then on no event is missed and
    none is returned twice: if the server ends the feed or is lost, it is opened again after the last event that was
    returned, after pauses as of `Client.stream`. It raises:

    * NotSupportedError: the server has no such feed (Feature.WATCH_TRACKS);
    * any other FacewireError that is not `retryable`; and before it was open, UnreachableError.
    """

    def __init__(
        self,
        address: Address,
        request: recognition_pb2.WatchTracksRequest,
        *,
        timeout_s: float,
        reopening: Reopening,
    ) -> None:
        self._address = address
        self._position = FeedPosition(request)
        self._timeout_s = timeout_s
        self._reopening = reopening
        self._call: Any = None
        self._end_call: Callable[[], object] = lambda: None
        self._closed = threading.Event()

    @property
    def events_lost(self) -> bool:
        """Whether events may be missing: they were no longer kept, or could not be asked for."""
        return self.loss_count > 0

    @property
    def loss_count(self) -> int:
        """How often events may be missing so far: it grows before the event is returned that follows the gap."""
        return self._position.loss_count

    def open(self) -> Self:
        """Opens the feed, if it is not open: later events are not missed.

        Raises:
            ValueError: the feed is closed.
            FacewireError: as of the iteration.
        """
        while self._call is None and not self._closed.is_set():
            try:
                self._connect()
            except FacewireError as error:
                self._break_off(error)
        if self._closed.is_set():
            raise ValueError("this feed is closed")
        return self

    def close(self) -> None:
        """Ends the feed. May be called again, and from another thread."""
        self._closed.set()
        self._end_call()

    def __next__(self) -> TrackEvent:
        while not self._closed.is_set():
            try:
                if self._call is None:
                    self._connect()
                    continue  # it may have been closed meanwhile
                event = self._receive(self._call)
            except FacewireError as error:
                self._break_off(error)
                continue
            if event is not None:
                return event
        raise StopIteration

    def _receive(self, call: Any) -> TrackEvent | None:
        try:
            message = next(call)
        except StopIteration:
            if not (self._closed.is_set() or self._position.is_at_end):
                raise self._position.ended(self._address.target) from None
            self.close()
            raise
        except grpc.RpcError as error:
            if self._closed.is_set():  # by another thread
                raise StopIteration from None
            raise error_from_rpc(error, target=self._address.target) from error
        self._reopening.progressed()
        return self._position.read(message)

    def _break_off(self, error: FacewireError) -> None:
        """Lets go of the call, and waits before the next one.

        Raises:
            FacewireError: the error, if it ends the feed.
        """
        if self._closed.is_set() or not self._reopening.goes_on(error):
            self.close()
            raise error
        self._let_go()
        self._closed.wait(self._reopening.pause_s(error))

    def _let_go(self) -> None:
        self._end_call()
        self._call = None

    def _connect(self) -> None:
        """Makes a call, unless the feed was closed, also while it opens."""
        deadline = Deadline(self._timeout_s)
        retries = Retries(deadline, self._address.token)
        while not self._closed.is_set():
            channel = connect(self._address)
            stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
            call = stub.WatchTracks(self._position.request(), metadata=self._address.metadata)
            # A feed that was dropped, as `for ... break` does, is ended, too.
            self._end_call = weakref.finalize(self, _end, call, channel)
            self._call = call
            if self._closed.is_set():  # too early for `close` to see the call
                self._end_call()
                return
            try:
                self._await_headers(call, deadline)
            except FacewireError as error:
                self._let_go()
                pause_s = retries.pause_s(error)
                if self._closed.is_set():
                    return
                if pause_s is None:
                    raise
                self._closed.wait(pause_s)
            else:
                self._reopening.opened()
                return

    def _await_headers(self, call: Any, deadline: Deadline) -> None:
        """Waits until the server has begun to send.

        Raises:
            FacewireError: the server refused the feed, or was not there in time.
        """
        # A deadline of gRPC would be the whole feed's.
        late = threading.Timer(deadline.left_s, call.cancel)
        late.daemon = True
        late.start()
        try:
            headers = call.initial_metadata()
            code = None if call.is_active() else call.code()
        finally:
            late.cancel()
        if code not in (None, grpc.StatusCode.OK):
            target = self._address.target
            is_late = code is grpc.StatusCode.CANCELLED and not deadline.left_s
            problem = too_late(target, deadline) if is_late else error_from_rpc(call, target=target)
            raise explained(problem, self._address, closed=self._closed)
        self._position.opened(headers)


def _end(call: Any, channel: grpc.Channel) -> None:
    call.cancel()
    channel.close()
