"""Runs calls on a channel of asyncio: as `facewire._sync.running`, with `await`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self, TypeVar

import grpc
from grpc import aio

from facewire._aio.cancelling import is_task_cancelled
from facewire._aio.channel import connect
from facewire._aio.threads import explained, metadata_of
from facewire._values.errors import InvalidPictureError, LimitError
from facewire._values.galleries import EnrollResult
from facewire._wire.address import Address
from facewire._wire.enrollment import Enrolled, Plan
from facewire._wire.gallery_requests import Page
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.requests import Call, Stubs
from facewire._wire.retries import Deadline, Retries

__all__ = ["AsyncCalls"]

T = TypeVar("T")

_CLOSED = "this client is closed"


class AsyncCalls:
    """A connection to a server, with the contract's stubs. For one event loop."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._connected: tuple[aio.Channel, Stubs] | None = None
        self._closed = False

    async def close(self) -> None:
        """Ends the connection and every call on it. May be called again."""
        self._closed = True
        if self._connected is not None:
            await self._connected[0].close(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def _stubs(self) -> Stubs:
        """Connects with the first use: a channel belongs to the loop that runs then."""
        if self._closed:
            raise ValueError(_CLOSED)
        if self._connected is None:
            channel = connect(self._address)
            self._connected = channel, Stubs(channel)
        return self._connected[1]

    async def _run(self, call: Call[T], timeout_s: float | None = None) -> T:
        """Makes a call, within the client's own limit of time if `timeout_s` is None.

        Raises:
            FacewireError: it failed.
        """

        async def attempt(deadline: Deadline) -> T:
            method = call.method(self._stubs)
            metadata = await metadata_of(self._address)
            return call.read(await method(call.request, timeout=deadline.left_s, metadata=metadata))

        return await self._repeat(attempt, timeout_s, repeatable=call.repeatable)

    async def _repeat(
        self,
        attempt: Callable[[Deadline], Awaitable[T]],
        timeout_s: float | None = None,
        *,
        repeatable: bool = True,
    ) -> T:
        """Makes an attempt, and repeats it while the server is unavailable if that is safe."""
        deadline = Deadline(self._timeout_s if timeout_s is None else timeout_s)
        retries = Retries(deadline, self._address.token)
        while True:
            try:
                return await attempt(deadline)
            except asyncio.CancelledError as error:
                if self._closed and not is_task_cancelled():
                    # Of the call, which the end of the channel has cancelled, and not of the caller.
                    raise ValueError(_CLOSED) from error
                raise
            except grpc.RpcError as error:
                if self._closed:  # meanwhile
                    raise ValueError(_CLOSED) from error
                problem = await explained(
                    error_from_rpc(error, target=self._address.target), self._address
                )
                pause_s = retries.pause_s(problem, repeatable=repeatable)
                if pause_s is None:
                    raise problem from error
            await asyncio.sleep(pause_s)

    async def _walk(self, call: Call[Page[T]], timeout_s: float | None) -> AsyncIterator[T]:
        """Yields the items of all pages; a page is asked for when it is needed."""
        page: Call[Page[T]] | None = call
        while page is not None:
            items, page = await self._run(page, timeout_s)
            for item in items:
                yield item

    async def _carry_out(self, plan: Plan, timeout_s: float | None) -> EnrollResult:
        """Makes the calls of a plan; its steps, which read pictures, run in a thread."""
        step = await _step(lambda: next(plan))
        while not isinstance(step, EnrollResult):
            try:
                response = await self._run(step, timeout_s)
            except (InvalidPictureError, LimitError) as error:
                step = await _step(lambda error=error: plan.throw(error))  # type: ignore[misc] # mypy cannot infer a lambda's default
            else:
                step = await _step(lambda response=response: plan.send(response))  # type: ignore[misc] # the same
        return step


async def _step(move: Callable[[], Call[Enrolled]]) -> Call[Enrolled] | EnrollResult:
    def moved() -> Call[Enrolled] | EnrollResult:
        try:
            return move()
        except StopIteration as end:  # no future can carry it
            result: EnrollResult = end.value
            return result

    return await asyncio.to_thread(moved)
