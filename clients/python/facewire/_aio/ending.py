"""The status of a call of grpc.aio whose end may have interrupted a write."""

import asyncio
from typing import Any

import grpc

from facewire._wire.retries import Deadline

__all__ = ["Ending", "Status"]

_OF_A_WRITE = "Internal error from Core"
"""The text that grpc.aio sets for a write that the end of the call interrupted."""

_PATIENCE_S = 1.0
"""Seconds that the server's own status may take to replace that of a write. Chosen, not measured."""

_LOOK_AGAIN_S = 0.002
"""Seconds between two looks at the status. Chosen, not measured: seldom enough to cost the loop nothing."""


class Status(grpc.RpcError):
    """A status, also to be raised, as grpc.aio raises its own."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing: Any) -> None:
        super().__init__(details)
        self._code, self._details, self._trailing = code, details, trailing

    def code(self) -> grpc.StatusCode:
        """See `grpc.Call.code`."""
        return self._code

    def details(self) -> str:
        """See `grpc.Call.details`."""
        return self._details

    def trailing_metadata(self) -> Any:
        """See `grpc.Call.trailing_metadata`."""
        return self._trailing

    @property
    def is_of_a_write(self) -> bool:
        """Whether grpc.aio set this status for a write that was interrupted."""
        return self._code is grpc.StatusCode.INTERNAL and self._details == _OF_A_WRITE


class Ending:
    """The status that a call of grpc.aio with requests in a stream ended with.

    A write that the end of the call interrupts makes grpc.aio (1.74 to 1.85) set the call's status
    to INTERNAL, before or after the server's own is set. Before: the server's own replaces
    it within moments, without a callback. After: the server's own is lost, but for the callbacks
    that were called when it was set. Not needed once the oldest grpcio that is taken has the fix of
    https://github.com/grpc/grpc/issues/36066 (proposed: https://github.com/grpc/grpc/pull/43486).
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._first: Status | None = None
        call.add_done_callback(self._take)

    def _take(self, _: Any) -> None:
        # Newer versions call this for the first status only, older ones for each.
        if self._first is None or self._first.is_of_a_write:
            self._first = Status(*map(_at_once, _parts(self._call)))

    async def status(self) -> Status:
        """Returns the status; to be called when the call has ended."""
        if self._first is not None and not self._first.is_of_a_write:
            return self._first
        status = await self._now()
        waited = Deadline(_PATIENCE_S)
        while status.is_of_a_write and waited.left_s:
            await asyncio.sleep(_LOOK_AGAIN_S)
            status = await self._now()
        return status

    async def _now(self) -> Status:
        return Status(*[await part for part in _parts(self._call)])


def _parts(call: Any) -> tuple[Any, Any, Any]:
    return call.code(), call.details(), call.trailing_metadata()


def _at_once(awaitable: Any) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        awaitable.send(None)
    except StopIteration as end:
        return end.value
    awaitable.close()
    raise RuntimeError("the call has not ended")
