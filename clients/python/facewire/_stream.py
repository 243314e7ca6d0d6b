"""A stream: frames in, results out, and the credit between them.

Two threads share a `Feed`: gRPC's own draws frames and sends them (`messages`), the
caller's reads the answers (`Stream.__next__`) and gives back their credit.
"""

import threading
import weakref
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from facewire._channel import Address, Deadline, retry_unavailable
from facewire._enums import ErrorReason
from facewire._errors import DeadlineError, ReconnectError, ServerError, UnavailableError
from facewire._feed import Feed, messages
from facewire._pictures import Frame, Picture
from facewire._results import Advice, FrameResult, FramesSkipped, StreamLimits
from facewire._status import error_from_rpc
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["Stream"]

_BUSY_ATTEMPTS = 4


class Stream:
    """An open stream: an iterator of `FrameResult` and `FramesSkipped`.

    Every frame is accounted for exactly once and in order: by its own `FrameResult`, or
    within the range of a `FramesSkipped`. The n-th frame has sequence n. A frame that
    cannot be used is answered with FrameStatus.INVALID, and the stream goes on.

    The iteration ends when the frames have, and all are accounted for. Leaving it earlier
    (`break`, an exception, `close`, the end of a `with` block) cancels the stream. It
    raises:

    * what `frames` raised, after the answers to the frames before;
    * ReconnectError: the server is going away; frames from the first one not accounted
      for are to be sent again on a new stream, after `after_s`;
    * UnreachableError: the connection broke;
    * LimitError: the results were not read for too long;
    * any other FacewireError.

    Attributes:
        limits: the server's terms.
        advice: the server's last hint to this camera, or None.
    """

    def __init__(
        self,
        address: Address,
        config: recognition_pb2.StreamConfig,
        frames: Iterable[Picture | Frame],
        *,
        timeout_s: float,
    ) -> None:
        self._target = address.target
        iterator = iter(frames)
        self._line = retry_unavailable(
            lambda: _open(address, config, iterator, timeout_s), Deadline(timeout_s)
        )
        self.limits = self._line.limits
        self.advice: Advice | None = None
        self._reconnect: recognition_pb2.Reconnect | None = None
        # A stream that was dropped, as `for ... break` does, is cancelled, too.
        self._finalizer = weakref.finalize(self, self._line.cancel)

    def close(self) -> None:
        """Cancels the stream. May be called again, and from another thread."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

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
        while self._finalizer.alive:
            message = self._receive()
            match message.WhichOneof("message"):
                case "frame":
                    self._line.feed.give_back(1)
                    return FrameResult.from_wire(message.frame)
                case "skipped":
                    self._line.feed.give_back(message.skipped.frame_count)
                    return FramesSkipped.from_wire(message.skipped)
                case "advice":
                    self.advice = Advice.from_wire(message.advice)
                case "reconnect":
                    self._reconnect = message.reconnect
        raise StopIteration

    def _receive(self) -> recognition_pb2.StreamRecognizeResponse:
        try:
            answer: recognition_pb2.StreamRecognizeResponse = next(self._line.answers)
        except StopIteration:
            self.close()
            self._check_complete()
            raise
        except grpc.RpcError as error:
            if not self._finalizer.alive:  # closed by another thread
                raise StopIteration from None
            self.close()
            raise error_from_rpc(error, target=self._target) from error
        return answer

    def _check_complete(self) -> None:
        """Raises what the end of the answers, with OK, means besides an end."""
        feed = self._line.feed
        if feed.error is not None:
            raise feed.error
        if self._reconnect is not None:
            after_s = self._reconnect.after_ms / 1000
            leaving = self._reconnect.reason == recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN
            raise ReconnectError(
                f"{self._target}: the server ends this stream. Open it again in {after_s:g} s.",
                reason=ErrorReason.SHUTTING_DOWN if leaving else ErrorReason.WORKER_BUSY,
                after_s=after_s,
            )
        if feed.in_flight or not feed.exhausted:
            raise ServerError(
                f"{self._target}: the server ended the stream with {feed.in_flight} "
                "frames unanswered. Open it again."
            )


class _Line:
    """An open call with its channel and feed."""

    def __init__(
        self, answers: Any, channel: grpc.Channel, feed: Feed, limits: StreamLimits
    ) -> None:
        self.answers = answers
        self.feed = feed
        self.limits = limits
        self._channel = channel

    def cancel(self) -> None:
        self.answers.cancel()
        self.feed.close()
        self._channel.close()


def _open(
    address: Address,
    config: recognition_pb2.StreamConfig,
    frames: Iterator[Picture | Frame],
    timeout_s: float,
) -> _Line:
    """Opens a call; a busy worker's refusal is answered by a new connection, at once."""
    for _ in range(_BUSY_ATTEMPTS):
        try:
            return _open_once(address, config, frames, timeout_s)
        except UnavailableError as error:
            if error.reason is not ErrorReason.WORKER_BUSY:
                raise
    return _open_once(address, config, frames, timeout_s)


def _open_once(
    address: Address,
    config: recognition_pb2.StreamConfig,
    frames: Iterator[Picture | Frame],
    timeout_s: float,
) -> _Line:
    feed = Feed()
    channel = address.connect()
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)  # type: ignore[no-untyped-call] # generated
    answers = stub.StreamRecognize(messages(config, frames, feed), metadata=address.metadata)
    # Wakes the sending thread when the call ends for any reason.
    answers.add_callback(feed.close)
    # A deadline of gRPC would be the whole stream's.
    late = threading.Timer(timeout_s, answers.cancel)
    late.daemon = True
    late.start()
    try:
        first = next(answers)
        if first.WhichOneof("message") != "started":
            raise ServerError(f"{address.target}: the server did not start the stream.")
    except BaseException as error:
        answers.cancel()
        channel.close()
        if not isinstance(error, grpc.RpcError):
            raise
        if answers.code() is grpc.StatusCode.CANCELLED:
            raise DeadlineError(
                f"{address.target}: no answer within {timeout_s:g} s. Allow more with timeout_s."
            ) from error
        raise error_from_rpc(error, target=address.target) from error
    finally:
        late.cancel()
    limits = StreamLimits.from_wire(first.started)
    feed.start(limits)
    return _Line(answers, channel, feed, limits)
