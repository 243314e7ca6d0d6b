"""Calls to one replica of a servable, the state of its connection, and the meaning of gRPC's errors."""

import asyncio
from typing import Any, Final

from google.protobuf.message import DecodeError
from grpc import ChannelConnectivity, StatusCode, aio

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof.served import Declined

__all__ = ["Calls"]

_OLD_CALLS_S: Final = 60.0
"""Seconds in which calls to a replica that is gone may end; a picture's timeout is shorter. Chosen, not measured."""

_LOSS_SHOWS_WITHIN_S: Final = 0.01
"""Seconds in which the state of a connection shows that it was lost, after a call has failed because of it: gRPC reports both at once
(0.2 ms apart, measured on a busy machine), in any order. Chosen: if it shows later, the call is only made again as one that was declined."""

_LONGEST_DETAIL: Final = 400
"""Characters of TensorFlow Serving's text that are passed on; its own limit is 1,024. Chosen, not measured."""

_CODES_WITH_DETAILS: Final = (
    StatusCode.NOT_FOUND,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.FAILED_PRECONDITION,
)
"""Their texts are about names, types and shapes; those of other codes may name hosts."""

_OWN_LIMIT: Final = "larger than max"
"""In gRPC's text if an answer is larger than this side takes, which has the code of a limit of the server."""


class Calls:
    """The channel to one replica.

    Attributes:
        connection: number of connections that were lost.
        is_connected: whether a connection is open.
    """

    def __init__(self, name: str, channel: aio.Channel) -> None:
        """Connects. Belongs to the running event loop.

        Args:
            name: of the model, for errors.
            channel: to the replica.
        """
        self._name = name
        self._channel = channel
        self._lost = asyncio.Event()
        self.connection = 0
        self.is_connected = False
        self._following = asyncio.create_task(self._follow())

    async def ask(self, method: str, request: Any, response: Any, timeout_s: float | None) -> Any:
        """Calls the replica once.

        Args:
            method: its path.
            request: the message.
            response: the class of the answer.
            timeout_s: how long to wait; None = no limit.

        Raises:
            Declined: it is overloaded.
            ModelUnavailable: it does not answer, or refuses the call.
            TimedOut: it has not answered in time.
        """
        call = self._channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=None,
        )
        connection = self.connection
        try:
            data = await call(request, timeout=timeout_s)
        except aio.AioRpcError as error:
            raise await self._to_error(error, connection) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Closing a channel cancels its calls, as if the caller had been cancelled.
            # https://github.com/grpc/grpc/pull/21819
            raise ModelUnavailable(
                f"the model {self._name!r} did not answer for a long time"
            ) from None
        # Not by gRPC, which returns None if a deserializer raises.
        # https://github.com/grpc/grpc/issues/33955
        try:
            return response.FromString(data)
        except DecodeError as error:
            raise ModelUnavailable(
                f"the model {self._name!r} returned something that is not a message"
            ) from error

    async def close(self, *, is_replica_gone: bool = False) -> None:
        """Ends the connection.

        Args:
            is_replica_gone: calls under way may end; else they are cancelled.
        """
        self._following.cancel()
        await self._channel.close(grace=_OLD_CALLS_S if is_replica_gone else None)

    async def _follow(self) -> None:
        """Keeps the state of the connection, and connects again when it is lost."""
        while True:
            state = self._channel.get_state(try_to_connect=True)
            self.is_connected = state is ChannelConnectivity.READY
            await self._channel.wait_for_state_change(state)
            if self.is_connected:
                self.is_connected = False
                self.connection += 1
                self._lost.set()
                self._lost = asyncio.Event()

    async def _to_error(
        self, error: aio.AioRpcError, connection: int
    ) -> ModelUnavailable | TimedOut:
        code, details = error.code(), error.details() or ""
        if code is StatusCode.DEADLINE_EXCEEDED:
            return TimedOut(f"the model {self._name!r} did not answer in time")
        text = f"the model {self._name!r} does not answer: {code.name}"
        if code is StatusCode.RESOURCE_EXHAUSTED and _OWN_LIMIT not in details:
            return Declined(text, is_limit=True)
        if code is StatusCode.UNAVAILABLE and not await self._is_lost(connection):
            return Declined(text, is_limit=False)
        if code in _CODES_WITH_DETAILS:
            text += f": {details[:_LONGEST_DETAIL]}"
        return ModelUnavailable(text)

    async def _is_lost(self, connection: int) -> bool:
        """Returns whether a call failed because its connection was lost; else the replica has sent the same code."""
        if self.connection == connection and self.is_connected:
            try:
                async with asyncio.timeout(_LOSS_SHOWS_WITHIN_S):
                    await self._lost.wait()
            except TimeoutError:
                pass
        return self.connection != connection or not self.is_connected
