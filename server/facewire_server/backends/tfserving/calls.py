"""Calls to the replicas of one servable, and the meaning of gRPC's errors."""

import asyncio
from typing import Any, Final

from google.protobuf.message import DecodeError
from grpc import StatusCode, aio

from facewire_server.backends.tfserving.addresses import Target
from facewire_server.backends.tfserving.channel import channel
from facewire_server.errors import ModelUnavailable, TimedOut

__all__ = ["Calls"]

_OLD_CALLS_S: Final = 60.0
"""Seconds in which calls on a replaced channel may end; a picture's timeout is shorter. Chosen, not measured."""

_LONGEST_DETAIL: Final = 400
"""Characters of TensorFlow Serving's text that are passed on; its own limit is 1,024. Chosen, not measured."""

_CODES_WITH_DETAILS: Final = (
    StatusCode.NOT_FOUND,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.FAILED_PRECONDITION,
)
"""Their texts are about names, types and shapes; those of other codes may name hosts."""

_NOT_RESOLVED: Final = "errors resolving"
"""The beginning of gRPC's text if the name of a target has no address."""


class Calls:
    """The channel to all replicas of a servable.

    Attributes:
        connection: changes whenever a call finds a connection lost, or the channel is replaced.
    """

    def __init__(self, name: str, target: Target, tls_ca: bytes) -> None:
        """Connects at the first call. Belongs to the running event loop.

        Args:
            name: of the model, for errors.
            target: where the replicas are.
            tls_ca: PEM certificates to check theirs with; b"" = no TLS.
        """
        self._name = name
        self._target = target.name
        self._tls_ca = tls_ca
        self._channel = channel(self._target, tls_ca)
        self._is_unreachable = False
        self._closing: set[asyncio.Task[None]] = set()
        self.connection = 0

    def reopen_if_unreachable(self) -> None:
        """Opens a new channel if the last call reached no server.

        gRPC waits for up to two minutes before it resolves a name again that had no address, as
        a container's name has none while that is down: back after 20 s, it was found 9 s later.
        https://github.com/grpc/grpc/issues/12295
        """
        if not self._is_unreachable:
            return
        # Calls on the old channel that wait for another replica keep their timeout.
        closing = asyncio.create_task(self._channel.close(grace=_OLD_CALLS_S))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._channel = channel(self._target, self._tls_ca)
        self._is_unreachable = False
        self.connection += 1

    async def ask(self, method: str, request: Any, response: Any, timeout_s: float | None) -> Any:
        """Calls one replica, and a second one if the first cannot be reached.

        Args:
            method: its path.
            request: the message.
            response: the class of the answer.
            timeout_s: how long to wait; None = no limit.

        Raises:
            ModelUnavailable: no replica answers, or it refuses the call.
            TimedOut: no replica has answered in time.
        """
        call = self._channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=None,
        )
        try:
            data = await call(request, timeout=timeout_s)
        except aio.AioRpcError as error:
            raise self._to_error(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Closing a channel cancels its calls, as if the caller had been cancelled.
            # https://github.com/grpc/grpc/pull/21819
            raise ModelUnavailable(
                f"the model {self._name!r} did not answer for a long time"
            ) from None
        self._is_unreachable = False
        # Not by gRPC, which returns None if a deserializer raises.
        # https://github.com/grpc/grpc/issues/33955
        try:
            return response.FromString(data)
        except DecodeError as error:
            raise ModelUnavailable(
                f"the model {self._name!r} returned something that is not a message"
            ) from error

    async def close(self) -> None:
        """Ends the connections."""
        await self._channel.close(grace=None)
        await asyncio.gather(*self._closing)

    def _to_error(self, error: aio.AioRpcError) -> ModelUnavailable | TimedOut:
        code, details = error.code(), error.details() or ""
        if code is StatusCode.DEADLINE_EXCEEDED:
            return TimedOut(f"the model {self._name!r} did not answer in time")
        self._is_unreachable = code is StatusCode.UNAVAILABLE
        self.connection += self._is_unreachable
        text = f"the model {self._name!r} does not answer: {code.name}"
        if code in _CODES_WITH_DETAILS:
            text += f": {details[:_LONGEST_DETAIL]}"
        elif details.startswith(_NOT_RESOLVED):
            text += ": its name has no address"
        return ModelUnavailable(text)
