"""Calls to a servable's replicas, wherever they are now, and what comes of gRPC's errors."""

import asyncio
from typing import Any, Final

from google.protobuf.message import DecodeError
from grpc import StatusCode, aio

from facewire_server.backends.tfserving.addresses import Replicas
from facewire_server.backends.tfserving.channel import channel
from facewire_server.errors import ModelUnavailable, TimedOut

__all__ = ["Calls"]

_OLD_CALLS_S: Final = 60.0
_LONGEST_DETAIL: Final = 400
_WELL_TOLD: Final = (
    StatusCode.NOT_FOUND,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.FAILED_PRECONDITION,
)


class Calls:
    """The one channel to all replicas of a servable; another one takes its place when they move.

    Attributes:
        connection: grows when a connection was lost or opened.
    """

    def __init__(self, name: str, address: str, tls_ca: bytes) -> None:
        """Connects to nothing yet. To be called in a running event loop, which it stays with.

        Args:
            name: the servable's, for the errors.
            address: as `addresses.endpoints` takes it.
            tls_ca: PEM certificates to check the replicas' with; b"" = no TLS.

        Raises:
            ValueError: not an address.
        """
        self._name = name
        self._replicas = Replicas(address, tls=bool(tls_ca))
        self._tls_ca = tls_ca
        self.connection = 0
        self._target = ""
        self._channel: aio.Channel | None = None
        self._nobody_there = False
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def replica_count(self) -> int:
        """At how many addresses the replicas are, as far as is known."""
        return self._replicas.count

    async def look_up(self) -> None:
        """Looks the replicas' addresses up; where they changed, later calls take a new channel.

        Raises:
            ModelUnavailable: no address is found.
        """
        target = await self._replicas.target()
        if target != self._target:
            self._target = target
            self._open()

    def give_up_on_nobody(self) -> None:
        """Where the last call reached nobody, later calls take a new channel.

        gRPC waits up to two minutes before it looks a name up again that it could not resolve.
        """
        if self._nobody_there:
            self._open()

    async def ask(self, method: str, request: Any, response: Any, timeout_s: float | None) -> Any:
        """Calls one replica, and a second one where the first is not there.

        Args:
            method: its path.
            request: the message.
            response: the class of the answer.
            timeout_s: how long to wait; None = without end.

        Raises:
            ModelUnavailable: nobody answers, or what answers is refused.
            TimedOut: nobody has answered in time.
        """
        if self._channel is None:
            await self.look_up()
        assert self._channel is not None
        call = self._channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=None,
        )
        try:
            data = await call(request, timeout=timeout_s)
        except aio.AioRpcError as error:
            raise self._told(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # An old channel was closed under the call; nobody cancelled what waits for it.
            raise ModelUnavailable(f"the model {self._name!r} did not answer for long") from None
        self._nobody_there = False
        try:  # here, since gRPC would give None for bytes that are no message
            return response.FromString(data)
        except DecodeError as error:
            raise ModelUnavailable(f"the model {self._name!r} answers no message") from error

    async def close(self) -> None:
        """Ends the connections."""
        if self._channel is not None:
            await self._channel.close(grace=None)
        await asyncio.gather(*self._closing)

    def _open(self) -> None:
        if self._channel is not None:
            # Calls under way on the old channel keep their time.
            closing = asyncio.create_task(self._channel.close(grace=_OLD_CALLS_S))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        self._channel = channel(self._target, self._tls_ca)
        self._nobody_there = False
        self.connection += 1

    def _told(self, error: aio.AioRpcError) -> ModelUnavailable | TimedOut:
        code = error.code()
        if code is StatusCode.DEADLINE_EXCEEDED:
            return TimedOut(f"the model {self._name!r} did not answer in time")
        self._nobody_there = code is StatusCode.UNAVAILABLE
        self.connection += self._nobody_there
        text = f"the model {self._name!r} does not answer: {code.name}"
        if code in _WELL_TOLD:  # the server's own words, about names, types and shapes
            text += f": {(error.details() or '')[:_LONGEST_DETAIL]}"
        return ModelUnavailable(text)
