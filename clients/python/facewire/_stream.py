"""A stream: frames in, results out, and the credit between them.

Two threads share a `Feed`: gRPC's own draws frames and sends them (`messages`), the
caller's reads the answers (`Stream.__next__`) and gives back their credit. `AsyncStream`
is the same with two tasks.
"""

import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc

from facewire._answers import Answers
from facewire._channel import Address, Deadline, Retries
from facewire._errors import DeadlineError, ServerError, UnavailableError
from facewire._feed import Feed, messages
from facewire._pictures import Frame, Picture
from facewire._results import Advice, FrameResult, FramesSkipped, StreamLimits
from facewire._status import error_from_rpc
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["Stream"]


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
        self._answers = Answers(address.target, frames)
        self._line = _open(address, config, iterator, timeout_s)
        self.limits = self._line.limits
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

    @property
    def advice(self) -> Advice | None:
        """The server's last hint to this camera, or None."""
        return self._answers.advice

    def __next__(self) -> FrameResult | FramesSkipped:
        while self._finalizer.alive:
            result = self._answers.read(self._receive())
            if result is not None:
                self._line.feed.give_back(result.frame_count)
                return result
        raise StopIteration

    def _receive(self) -> recognition_pb2.StreamRecognizeResponse:
        try:
            answer: recognition_pb2.StreamRecognizeResponse = next(self._line.answers)
        except StopIteration:
            self.close()
            self._answers.check_end(self._line.feed)
            raise
        except grpc.RpcError as error:
            if not self._finalizer.alive:  # closed by another thread
                raise StopIteration from None
            self.close()
            raise error_from_rpc(error, target=self._target) from error
        return answer


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
    deadline = Deadline(timeout_s)
    retries = Retries(deadline)
    while True:
        try:
            return _open_once(address, config, frames, timeout_s)
        except UnavailableError as error:
            pause_s = retries.pause_s(error)
            if pause_s is None:
                raise
        time.sleep(pause_s)


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
