"""A stream: frames in, results out, and the credit between them.

Two threads share a `Feed`: gRPC's own pulls frames and sends them (`messages`), the
caller's reads the responses (`Stream.__next__`) and returns their credit. `AsyncStream`
is the same with two tasks.
"""

import threading
import weakref
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from facewire._sync.channel import connect
from facewire._sync.feed import Feed, messages
from facewire._values.errors import FacewireError
from facewire._values.pictures import Frame, Picture, require_frames
from facewire._values.results import Advice, FrameResult, FramesSkipped, StreamLimits
from facewire._wire.address import Address
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.read_results import read_stream_limits
from facewire._wire.responses import Responses, not_started, too_late
from facewire._wire.retries import Deadline, Retries
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["Stream"]


class Stream:
    """A stream: an iterator of `FrameResult` and `FramesSkipped`.

    It opens with the first result asked for, or with a `with` block, which also closes it; until
    then nothing is sent. Opening may raise what `Client.stream` lists.

    Every frame is accounted for exactly once and in order: by its own `FrameResult`, or
    within the range of a `FramesSkipped`. The n-th frame has sequence n. A frame that
    cannot be used has a result with FrameStatus.INVALID, and the stream goes on.

    The iteration ends when the frames have ended, and all are accounted for. Leaving it earlier
    (`break`, an exception, `close`, the end of a `with` block) cancels the stream. It
    raises:

    * what `frames` raised, after the results of the frames before;
    * ReconnectError: the server is shutting down; send the frames from the first one not accounted
      for again on a new stream, after `after_s`;
    * UnreachableError: the connection broke;
    * LimitError: the results were not read for too long;
    * any other FacewireError.
    """

    def __init__(
        self,
        address: Address,
        config: recognition_pb2.StreamConfig,
        frames: Iterable[Picture | Frame],
        *,
        timeout_s: float,
    ) -> None:
        self._address = address
        self._config = config
        self._frames = iter(require_frames(frames))
        self._timeout_s = timeout_s
        self._responses = Responses(address.target, frames)
        self._call: _Call | None = None
        self._closed = threading.Event()

    @property
    def limits(self) -> StreamLimits:
        """The server's limits for this stream.

        Raises:
            ValueError: the stream is not open yet.
        """
        if self._call is None or self._call.limits is None:
            raise ValueError("the stream is not open yet: use `with`")
        return self._call.limits

    @property
    def advice(self) -> Advice | None:
        """The server's last advice to this camera, or None."""
        return self._responses.advice

    def open(self) -> Self:
        """Opens the stream, if it is not open.

        Raises:
            ValueError: the stream is closed.
            FacewireError: as of `Client.stream`.
        """
        if self._call is None:
            self._connect()
        if self._closed.is_set():
            raise ValueError("this stream is closed")
        return self

    def close(self) -> None:
        """Cancels the stream. May be called again, and from another thread."""
        self._closed.set()
        if (call := self._call) is not None:
            call.cancel()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> FrameResult | FramesSkipped:
        if self._call is None:
            self._connect()
        while not self._closed.is_set() and self._call is not None:
            result = self._responses.read(self._receive(self._call))
            if result is not None:
                self._call.feed.give_back(result.frame_count)
                return result
        raise StopIteration

    def _receive(self, call: "_Call") -> recognition_pb2.StreamRecognizeResponse:
        try:
            response: recognition_pb2.StreamRecognizeResponse = next(call.responses)
        except StopIteration:
            self.close()
            self._responses.check_end(call.feed)
            raise
        except grpc.RpcError as error:
            if self._closed.is_set():  # by another thread
                raise StopIteration from None
            self.close()
            raise error_from_rpc(error, target=self._address.target) from error
        return response

    def _connect(self) -> None:
        """Opens the stream, unless it was closed, also while it opens."""
        retries = Retries(deadline := Deadline(self._timeout_s))
        while self._call is None and not self._closed.is_set():
            self._call = call = _Call(self._address, self._config, self._frames)
            # A stream that was dropped, as `for ... break` does, is cancelled, too.
            weakref.finalize(self, call.cancel)
            if self._closed.is_set():  # too early for `close` to see the call
                call.cancel()
                return
            try:
                call.open(deadline)
            except BaseException as error:
                call.cancel()
                if self._closed.is_set() and isinstance(error, FacewireError):
                    return  # by another thread, which cancelled the call
                pause_s = retries.pause_s(error) if isinstance(error, FacewireError) else None
                self._call = None
                if pause_s is None:
                    raise
                self._closed.wait(pause_s)


class _Call:
    """A call with its channel and feed."""

    def __init__(
        self,
        address: Address,
        config: recognition_pb2.StreamConfig,
        frames: Iterator[Picture | Frame],
    ) -> None:
        self.feed = Feed()
        self.limits: StreamLimits | None = None
        self._target = address.target
        self._channel = connect(address)
        stub = recognition_pb2_grpc.RecognitionServiceStub(self._channel)
        sent = messages(config, frames, self.feed)
        self.responses: Any = stub.StreamRecognize(sent, metadata=address.metadata)
        # Wakes the sending thread when the call ends for any reason.
        self.responses.add_callback(self.feed.close)

    def open(self, deadline: Deadline) -> None:
        """Waits for the server's limits, and lets the frames be sent."""
        # A deadline of gRPC would be the whole stream's.
        late = threading.Timer(deadline.left_s, self.responses.cancel)
        late.daemon = True
        late.start()
        try:
            first = next(self.responses, None)
        except grpc.RpcError as error:
            if self.responses.code() is grpc.StatusCode.CANCELLED and not deadline.left_s:
                raise too_late(self._target, deadline) from error
            raise error_from_rpc(error, target=self._target) from error
        finally:
            late.cancel()
        if first is None or first.WhichOneof("message") != "started":
            raise not_started(self._target)
        self.limits = read_stream_limits(first.started)
        self.feed.start(self.limits)

    def cancel(self) -> None:
        """Ends the call and the sending. May be called again, and from another thread."""
        self.responses.cancel()
        self.feed.close()
        self._channel.close()
