"""A stream: frames in, results out, and the credit between them.

Two threads share a `Feed`: gRPC's own pulls frames and sends them (`messages`), the
caller's reads the responses (`Stream.__next__`) and returns their credit. `AsyncStream`
is the same with two tasks.
"""

import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable
from typing import Self

import grpc

from facewire._sync.feed import Feed
from facewire._sync.opened import Opened
from facewire._sync.stream_call import StreamCall
from facewire._values.errors import FacewireError
from facewire._values.pictures import Frame, Picture, require_frames
from facewire._values.results import Advice, FrameResult, FramesSkipped, StreamLimits
from facewire._values.tracks import TrackEvent
from facewire._wire.address import Address
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.reopening import Reopening, lacked_frames
from facewire._wire.responses import Responses
from facewire._wire.resuming import Resuming
from facewire._wire.retries import Deadline, Retries
from facewire.v1 import recognition_pb2

__all__ = ["Stream"]


class Stream(Opened):
    """A stream: an iterator of `FrameResult`, `FramesSkipped` and `TrackEvent`.

    It opens with the first result asked for, or with a `with` block, which also closes it; until
    then nothing is sent. Opening may raise what `Client.stream` lists.

    Every frame is accounted for exactly once and in order: by its own `FrameResult`, or
    within the range of a `FramesSkipped`. The n-th frame has sequence n. A frame that
    cannot be used has a result with FrameStatus.INVALID, and the stream goes on. A server that follows faces
    (Feature.TRACKS) sends events in between: each right before the result of the frame that caused it.

    The iteration ends when the frames have ended, and all are accounted for. Leaving it earlier
    (`break`, an exception, `close`, the end of a `with` block) cancels the stream. It
    raises:

    * what `frames` raised, after the results of the frames before;
    * ReconnectError: the server is shutting down; send the frames from the first one not accounted
      for again on a new stream, after `after_s`;
    * UnreachableError: the connection broke;
    * LimitError: the results were not read for too long;
    * any other FacewireError.

    With `reopen`, of `Client.stream`, it raises none that is `retryable` once it was open: it opens a new
    stream and goes on, numbers included. Frames without a result at that moment are reported as
    skipped, CONNECTION_LOST, or are sent again if every frame is wanted (FramePolicy.EVERY_FRAME). If the server resumes
    streams (Feature.RESUME), tracks go on, too, and frames that it had accounted for are not sent again: results that
    were lost on their way are reported as skipped. A stream that another one took over (STREAM_TAKEN_OVER) has ended.
    """

    def __init__(
        self,
        address: Address,
        config: recognition_pb2.StreamConfig,
        frames: Iterable[Picture | Frame],
        *,
        timeout_s: float,
        reopening: Reopening,
    ) -> None:
        self._address = address
        self._resuming = Resuming(config)
        every_frame = config.frame_policy == recognition_pb2.FRAME_POLICY_EVERY_FRAME
        self._feed = Feed(iter(require_frames(frames)), resends=every_frame)
        self._timeout_s = timeout_s
        self._responses = Responses(address.target, frames)
        self._reopening = reopening
        self._limits: StreamLimits | None = None
        self._call: StreamCall | None = None
        self._broken_by: FacewireError | None = None
        self._reopens_at_s = 0.0
        self._lost: deque[FramesSkipped] = deque()
        self._closed = threading.Event()

    @property
    def limits(self) -> StreamLimits:
        """The server's limits for this stream; those of the last one if it was opened again.

        Raises:
            ValueError: the stream is not open yet.
        """
        if self._limits is None:
            raise ValueError("the stream is not open yet: use `with`")
        return self._limits

    @property
    def advice(self) -> Advice | None:
        """The server's last advice to this camera, or None."""
        return self._responses.advice

    @property
    def reopen_count(self) -> int:
        """How often it was opened again."""
        return self._reopening.count

    def open(self) -> Self:
        """Opens the stream, if it is not open.

        Raises:
            ValueError: the stream is closed.
            FacewireError: as of `Client.stream`.
        """
        while self._call is None and not self._closed.is_set():
            try:
                self._connect()
            except FacewireError as error:
                self._break_off(error)
        if self._closed.is_set():
            raise ValueError("this stream is closed")
        return self

    def close(self) -> None:
        """Cancels the stream. May be called again, and from another thread."""
        self._closed.set()
        self._feed.wake()
        if (call := self._call) is not None:
            call.cancel()

    def __next__(self) -> FrameResult | FramesSkipped | TrackEvent:
        while not (self._lost or self._closed.is_set()):
            try:
                if self._call is None:
                    self._connect()
                    continue  # frames may have been lost meanwhile
                result = self._responses.read(self._receive(self._call))
            except FacewireError as error:
                self._break_off(error)
                continue
            if result is not None:
                self._feed.give_back(result.frame_count)
                self._reopening.progressed()
                return result
        if self._lost:
            return self._lost.popleft()
        raise StopIteration

    def _receive(self, call: StreamCall) -> recognition_pb2.StreamRecognizeResponse:
        try:
            response: recognition_pb2.StreamRecognizeResponse = next(call.responses)
        except StopIteration:
            if not self._closed.is_set():
                if self._feed.error is None:
                    self._responses.check_end(self._feed)
                self._finish()
            raise
        except grpc.RpcError as error:
            if self._closed.is_set():  # by another thread
                raise StopIteration from None
            raise error_from_rpc(error, target=self._address.target) from error
        return response

    def _break_off(self, error: FacewireError) -> None:
        """Lets go of the call; the next one opens after a pause.

        Raises:
            FacewireError: the error, if it ends the stream.
        """
        if self._resuming.is_ending and not self._closed.is_set():
            self._let_go()
            self._finish()  # without the last events
            return
        is_own = error is self._feed.error  # of the caller's frames
        if is_own or self._closed.is_set() or not self._reopening.goes_on(error):
            self.close()
            raise error
        self._let_go()
        self._note_lost()
        self._broken_by = error
        self._reopens_at_s = time.monotonic()
        if not self._feed.is_done:
            self._reopens_at_s += self._reopening.pause_s(error)

    def _let_go(self) -> None:
        if self._call is not None:
            self._dropped.detach()
            self._call.cancel()
            self._call = None

    def _note_lost(self) -> None:
        self._note(self._feed.break_off())

    def _note(self, lost: FramesSkipped | None) -> None:
        if lost is not None:
            self._lost.append(lost)

    def _wait_to_reopen(self, error: FacewireError) -> None:
        """Waits for the end of the pause, and for a frame if the stream had ended for want of one."""
        self._closed.wait(max(0.0, self._reopens_at_s - time.monotonic()))
        self._note_lost()  # what was pulled during the pause
        if self._limits is not None and lacked_frames(error):
            self._feed.wait_for_frame(self._closed)

    def _connect(self) -> None:
        """Opens a call, unless the stream was closed, also while it opens, or has nothing more to do."""
        if self._broken_by is not None:
            reported = len(self._lost)
            self._wait_to_reopen(self._broken_by)
            if len(self._lost) > reported:
                return  # which is said before what the new call may raise
            if self._feed.is_done and not self._resuming.begins_to_end():
                self._finish()
        deadline = Deadline(self._timeout_s)
        retries = Retries(deadline, self._address.token)
        while not self._closed.is_set():
            self._responses.begin()
            self._call = call = StreamCall(self._address, self._resuming.config(), self._feed)
            # A stream that was dropped, as `for ... break` does, is cancelled, too.
            self._dropped = weakref.finalize(self, call.cancel)
            if self._closed.is_set():  # too early for `close` to see the call
                call.cancel()
                break
            try:
                self._limits, lost = call.open(deadline, self._closed)
            except BaseException as error:
                self._let_go()
                if self._closed.is_set() and isinstance(error, FacewireError):
                    break  # by another thread, which cancelled the call
                if not isinstance(error, FacewireError):
                    raise
                if self._resuming.is_refused(error):
                    continue
                pause_s = retries.pause_s(error)
                if pause_s is None or self._resuming.is_ending:
                    raise
                self._closed.wait(pause_s)
            else:
                self._note(lost)
                self._resuming.opened(self._limits)
                self._reopening.opened()
                return

    def _finish(self) -> None:
        """Ends the iteration: all frames are accounted for, or their source has failed."""
        self.close()
        if self._feed.error is not None:
            raise self._feed.error
