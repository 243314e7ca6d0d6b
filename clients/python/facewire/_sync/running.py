"""Runs calls on a blocking channel, with deadline, token and typed errors; repeats calls if that is safe."""

import threading
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

import grpc

from facewire._probing.explained import explained
from facewire._sync.channel import connect
from facewire._values.errors import InvalidPictureError, LimitError
from facewire._values.galleries import EnrollResult
from facewire._wire.address import Address
from facewire._wire.enrollment import Plan
from facewire._wire.gallery_requests import Page
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.requests import Call, Stubs
from facewire._wire.retries import Deadline, Retries

__all__ = ["Calls"]

T = TypeVar("T")

_CLOSED = "this client is closed"


class Calls:
    """A connection to a server, with the contract's stubs. Safe for threads."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._channel = connect(address)
        self._connected = Stubs(self._channel)
        self._closed = threading.Event()

    def close(self) -> None:
        """Ends the connection and every call on it. May be called again."""
        self._closed.set()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _stubs(self) -> Stubs:
        if self._closed.is_set():
            raise ValueError(_CLOSED)
        return self._connected

    def _run(self, call: Call[T], timeout_s: float | None = None) -> T:
        """Makes a call, within the client's own limit of time if `timeout_s` is None.

        Raises:
            FacewireError: it failed.
        """

        def attempt(deadline: Deadline) -> T:
            method = call.method(self._stubs)
            metadata = self._address.metadata
            return call.read(method(call.request, timeout=deadline.left_s, metadata=metadata))

        return self._repeat(attempt, timeout_s, repeatable=call.repeatable)

    def _repeat(
        self,
        attempt: Callable[[Deadline], T],
        timeout_s: float | None = None,
        *,
        repeatable: bool = True,
    ) -> T:
        """Makes an attempt, and repeats it while the server is unavailable if that is safe."""
        deadline = Deadline(self._timeout_s if timeout_s is None else timeout_s)
        retries = Retries(deadline, self._address.token)
        while True:
            try:
                return attempt(deadline)
            except grpc.RpcError as error:
                if self._closed.is_set():  # meanwhile
                    raise ValueError(_CLOSED) from error
                problem = error_from_rpc(error, target=self._address.target)
                problem = explained(problem, self._address, closed=self._closed)
                pause_s = retries.pause_s(problem, repeatable=repeatable)
                if pause_s is None:
                    raise problem from error
            self._closed.wait(pause_s)

    def _walk(self, call: Call[Page[T]], timeout_s: float | None) -> Iterator[T]:
        """Yields the items of all pages; a page is asked for when it is needed."""
        page: Call[Page[T]] | None = call
        while page is not None:
            items, page = self._run(page, timeout_s)
            yield from items

    def _carry_out(self, plan: Plan, timeout_s: float | None) -> EnrollResult:
        """Makes the calls of a plan."""
        try:
            call = next(plan)
            while True:
                try:
                    response = self._run(call, timeout_s)
                except (InvalidPictureError, LimitError) as error:
                    call = plan.throw(error)
                else:
                    call = plan.send(response)
        except StopIteration as end:
            result: EnrollResult = end.value
            return result
