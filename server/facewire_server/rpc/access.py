"""Lets a call through to its handler if its caller may make it, and ends it when they no longer may."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn, TypeAlias

import grpc
from grpc import StatusCode, aio

from facewire_server.access.caller import Caller, admitted
from facewire_server.access.certificates import certificate_of
from facewire_server.access.roles import Permission
from facewire_server.access.tokens import Token, Tokens
from facewire_server.errors import RoleRequired, TokenRequired
from facewire_server.events import Emit, RoleRefused, TokenRefused, ignore
from facewire_server.rpc.handlers import Behavior, wrapped
from facewire_server.rpc.permissions import PERMISSIONS
from facewire_server.rpc.services import is_open

__all__ = ["AccessInterceptor"]

_CHECK_EVERY_S: Final = 1.0
"""Seconds between two looks for tokens and certificates that have expired, of calls in progress. Chosen, not measured."""

_HEADER: Final = "authorization"


IsValid: TypeAlias = Callable[[datetime], bool]
"""Whether that which a call was admitted by is valid at a time."""


def _now() -> datetime:
    return datetime.now(UTC)


class AccessInterceptor(aio.ServerInterceptor):
    """Refuses calls before anything of their request is read: without a valid token or certificate, or without the role."""

    def __init__(
        self,
        tokens: Iterable[Token] = (),
        *,
        takes_certificates: bool = False,
        emit: Emit = ignore,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """Takes the tokens that are valid.

        Args:
            tokens: in force until `replace`.
            takes_certificates: gRPC has checked the certificate of each connection's client.
            emit: takes `TokenRefused` and `RoleRefused`.
            now: returns the time, with a time zone.
        """
        self._tokens = Tokens(tokens)
        self._takes_certificates = takes_certificates
        self._emit = emit
        self._now = now
        self._running: dict[asyncio.Timeout, IsValid] = {}

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Those that are in force."""
        return self._tokens.all

    def replace(self, tokens: Iterable[Token]) -> None:
        """Replaces the valid tokens, and ends the calls in progress of those that are no longer as they were."""
        self._tokens = Tokens(tokens)
        self.end_invalid()

    def end_invalid(self) -> None:
        """Ends the calls in progress whose token was revoked, changed, or has expired, and those whose certificate has."""
        loop, now = asyncio.get_running_loop(), self._now()
        for limit, is_valid in self._running.items():
            if not limit.expired() and not is_valid(now):
                limit.reschedule(loop.time())

    async def watch(self) -> NoReturn:
        """Ends the calls of tokens and certificates that expire, within a second; never returns."""
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            self.end_invalid()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wraps the method's handler; that of health is left as it is."""
        handler = await continuation(handler_call_details)
        path = handler_call_details.method
        if is_open(path):
            return handler
        if handler is None:
            return grpc.stream_stream_rpc_method_handler(self._unknown)
        return wrapped(handler, partial(self._checked, path, PERMISSIONS[path]))

    def _checked(self, path: str, permission: Permission | None, behavior: Behavior) -> Behavior:
        assert permission is not None  # of health alone, which is not wrapped

        async def checked(request: Any, context: Any) -> Any:
            caller, is_valid = self._caller_of(context)
            try:
                with admitted(caller, permission):
                    async with self._while_valid(is_valid):
                        return await behavior(request, context)
            except RoleRequired as error:
                self._emit(RoleRefused(path, context.peer(), caller.name, error.roles))
                raise

        return checked

    async def _unknown(self, requests: Any, context: Any) -> None:
        """Ends a call of a method that does not exist as gRPC does, but only for those who may call any."""
        self._caller_of(context)
        await context.abort(StatusCode.UNIMPLEMENTED, "Method not found!")

    def _caller_of(self, context: Any) -> tuple[Caller, IsValid]:
        """Returns who calls, and how long they may; a token that is sent counts, whatever the certificate.

        Raises:
            TokenRequired: no valid token, and no certificate with a role.
        """
        now = self._now()
        sent = [value for key, value in context.invocation_metadata() or () if key == _HEADER]
        if sent:
            token = self._tokens.find(secret, now) if (secret := _secret(sent)) else None
            if token is not None:
                return token.caller, lambda now: self._tokens.still_has(token, now)
        elif self._takes_certificates:
            certificate = certificate_of(context.auth_context())
            if certificate is not None and certificate.is_valid(now):
                return certificate.caller, certificate.is_valid
        self._emit(TokenRefused(context.peer()))
        raise TokenRequired("a bearer token is required (metadata `authorization: Bearer ...`)")

    @asynccontextmanager
    async def _while_valid(self, is_valid: IsValid) -> AsyncIterator[None]:
        """Ends the block with TokenRequired when the token or the certificate is no longer valid."""
        try:
            async with asyncio.timeout(None) as limit:
                self._running[limit] = is_valid
                try:
                    yield
                finally:
                    del self._running[limit]
        except TimeoutError:
            if not limit.expired():
                raise
            raise TokenRequired(
                "the token or certificate of this call has expired, or was revoked or changed"
            ) from None


def _secret(values: list[Any]) -> bytes | None:
    """Returns the token of the header; None for several headers, since a proxy before the server may have read another one."""
    (value, *others) = values
    text = value if isinstance(value, bytes) else value.encode(errors="replace")
    scheme, _, token = text.partition(b" ")
    if others or scheme.lower() != b"bearer":
        return None
    return bytes(token.strip()) or None
