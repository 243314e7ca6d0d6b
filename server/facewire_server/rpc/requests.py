"""Reads the requests of one call: each in time, no larger than its method's, and parsed after these checks only."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from grpc import aio

from facewire_server.errors import OutOfOrder, RequestTooLarge, TimedOut
from facewire_server.rpc.incoming import until_settled
from facewire_server.rpc.method_rules import MethodRule
from facewire_server.rpc.wire_form import check_form

__all__ = ["Requests"]

EOF: Final = aio.EOF  # type: ignore[attr-defined]  # grpc-stubs do not know it


class Requests:
    """The requests of one call, from their bytes.

    Attributes:
        first_bytes: of the first message; 0 before it has come.
    """

    def __init__(
        self, read: Callable[[], Awaitable[Any]], rule: MethodRule, parse: Callable[[bytes], Any]
    ) -> None:
        """Prepares the reading.

        Args:
            read: returns the bytes of the next message, or `EOF`: the method of the call's context. gRPC's iterator over
                messages would keep each one until the next has come, and the last one until a garbage collection.
            rule: of the method.
            parse: the class method `FromString` of the method's request.
        """
        self.first_bytes = 0
        self._read = read
        self._rule = rule
        self._parse = parse
        self._form = parse.__self__.DESCRIPTOR  # type: ignore[attr-defined]  # of the class

    async def first(self) -> Any:
        """Returns the first message; None if the client of a stream sent none.

        Raises:
            RequestTooLarge: it has more bytes, fields or text than the method takes.
            OutOfOrder: the client sent no message, and the method needs one.
            DecodeError: the bytes are not a message.
        """
        message = await self._next()
        if message is None and not self._rule.is_streaming:
            await until_settled()
            raise OutOfOrder("the call carries no request")
        return message

    async def since(self, first: Any) -> AsyncIterator[Any]:
        """Yields the first message and all after it.

        Raises:
            TimedOut: no further message came within the method's time, or all have taken too long.
            RequestTooLarge, DecodeError: as `first`.
        """
        message = [first]
        del first
        clock = asyncio.get_running_loop().time
        end = clock() + self._rule.whole_timeout_s
        while message[0] is not None:
            yield message.pop()  # it may be a frame, which nothing here keeps in memory
            try:
                async with asyncio.timeout_at(
                    min(clock() + self._rule.next_timeout_s, end)
                ) as limit:
                    message.append(await self._next())
            except TimeoutError:
                if not limit.expired():
                    raise
                raise TimedOut(self._late(clock() >= end)) from None

    def _late(self, is_over: bool) -> str:
        if is_over:
            return f"the messages of the call took more than {self._rule.whole_timeout_s:g} s"
        return f"no further message came within {self._rule.next_timeout_s:g} s"

    async def _next(self) -> Any:
        data = await self._read()
        if data is EOF:
            return None
        self.first_bytes = self.first_bytes or len(data)
        return self._parsed(data)

    def _parsed(self, data: bytes) -> Any:
        if len(data) > self._rule.max_bytes:
            raise RequestTooLarge(
                f"the message has {len(data)} bytes; the method takes {self._rule.max_bytes}"
            )
        check_form(data, self._form)
        return self._parse(data)
