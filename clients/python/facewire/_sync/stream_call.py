"""One call of a stream: its channel, its opening within a time, and its turn to send frames."""

import threading
from typing import Any

import grpc

from facewire._probing.explained import explained
from facewire._sync.channel import connect
from facewire._sync.feed import Feed, messages
from facewire._values.results import FramesSkipped, StreamLimits
from facewire._wire.address import Address
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.ledger import Turn
from facewire._wire.read_results import read_stream_limits
from facewire._wire.responses import not_started, too_late
from facewire._wire.retries import Deadline
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["StreamCall"]


class StreamCall:
    """A call on a connection of its own.

    Attributes:
        responses: the messages that come; the first of them is read by `open`.
    """

    def __init__(self, address: Address, config: recognition_pb2.StreamConfig, feed: Feed) -> None:
        self._feed = feed
        self._turn = Turn()
        self._address = address
        self._channel = connect(address)
        stub = recognition_pb2_grpc.RecognitionServiceStub(self._channel)
        sent = messages(config, feed, self._turn)
        self.responses: Any = stub.StreamRecognize(sent, metadata=address.metadata)
        # Wakes the sending thread when the call ends for any reason.
        self.responses.add_callback(self._end)

    def open(
        self, deadline: Deadline, closed: threading.Event
    ) -> tuple[StreamLimits, FramesSkipped | None]:
        """Waits for the server's limits, and lets the frames be sent; no longer than until the stream is `closed`.

        Returns:
            The limits, and the frames whose results were lost with the call before.

        Raises:
            FacewireError: the server refused the stream, or was not there in time.
        """
        # A deadline of gRPC would be the whole stream's.
        late = threading.Timer(deadline.left_s, self.responses.cancel)
        late.daemon = True
        late.start()
        try:
            first = next(self.responses, None)
        except grpc.RpcError as error:
            is_late = error.code() is grpc.StatusCode.CANCELLED and not deadline.left_s
            target = self._address.target
            problem = (
                too_late(target, deadline) if is_late else error_from_rpc(error, target=target)
            )
            raise explained(problem, self._address, closed=closed) from error
        finally:
            late.cancel()
        if first is None or first.WhichOneof("message") != "started":
            raise not_started(self._address.target)
        limits = read_stream_limits(first.started)
        return limits, self._feed.start(self._turn, limits)

    def cancel(self) -> None:
        """Ends the call and the sending. May be called again, and from another thread."""
        self.responses.cancel()
        self._end()
        self._channel.close()

    def _end(self) -> None:
        self._feed.end(self._turn)
