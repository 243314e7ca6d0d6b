"""One call of a stream: as `facewire._sync.stream_call`, with a task that sends instead of a thread."""

import asyncio
from typing import Any, TypeAlias

import grpc
from grpc import aio

from facewire._aio.channel import connect
from facewire._aio.ending import Ending
from facewire._aio.feed import AsyncFeed, send
from facewire._aio.threads import explained
from facewire._values.results import FramesSkipped, StreamLimits
from facewire._wire.address import Address
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.ledger import Turn
from facewire._wire.read_results import read_stream_limits
from facewire._wire.responses import not_started, too_late
from facewire._wire.retries import Deadline
from facewire.v1 import recognition_pb2, recognition_pb2_grpc

__all__ = ["AsyncStreamCall"]


Metadata: TypeAlias = tuple[tuple[str, str], ...]
"""The metadata of a call."""


class AsyncStreamCall:
    """A call on a connection of its own.

    Attributes:
        responses: the messages that come; the first of them is read by `open`.
        ending: the status that it ends with.
    """

    def __init__(self, address: Address, metadata: Metadata, feed: AsyncFeed) -> None:
        self._feed = feed
        self._turn = Turn()
        self._channel: aio.Channel = connect(address)
        stub: Any = recognition_pb2_grpc.RecognitionServiceStub(self._channel)
        self._address = address
        self._call = stub.StreamRecognize(metadata=metadata)
        self._sending: asyncio.Task[None] | None = None
        self.ending = Ending(self._call)
        # Not `read`, which stops reading once the call's end has interrupted a write.
        self.responses = aiter(self._call)

    async def open(
        self, config: recognition_pb2.StreamConfig, deadline: Deadline
    ) -> tuple[StreamLimits, FramesSkipped | None]:
        """Sends the config, waits for the server's limits, and lets the frames be sent.

        Returns:
            The limits, and the frames whose results were lost with the call before.

        Raises:
            FacewireError: the server refused the stream, or was not there in time.
        """
        try:
            # A deadline of gRPC would be the whole stream's.
            async with asyncio.timeout(deadline.left_s):
                await self._call.write(recognition_pb2.StreamRecognizeRequest(config=config))
                first = await anext(self.responses)
        except TimeoutError:
            raise await explained(too_late(self._address.target, deadline), self._address) from None
        except StopAsyncIteration:
            raise not_started(self._address.target) from None
        except (grpc.RpcError, asyncio.InvalidStateError):
            status = await self.ending.status()
            problem = error_from_rpc(status, target=self._address.target)
            raise await explained(problem, self._address) from status
        if first.WhichOneof("message") != "started":
            raise not_started(self._address.target)
        limits = read_stream_limits(first.started)
        lost = self._feed.start(self._turn, limits)
        self._sending = asyncio.create_task(send(self._call, self._feed, self._turn))
        return limits, lost

    def let_go(self) -> None:
        """Ends the call and the sending. May be called again."""
        self._call.cancel()
        self._feed.end(self._turn)
        if self._sending is not None:
            self._sending.cancel()

    async def cancel(self) -> None:
        """Ends the connection, too. May be called again."""
        self.let_go()
        await self._channel.close(None)
