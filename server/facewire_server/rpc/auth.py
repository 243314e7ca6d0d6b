"""Access to the server: a bearer token for all methods but health, and TLS. Both can be replaced while it runs."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
from grpc import aio

from facewire_server.errors import TokenRequired
from facewire_server.events import Emit, TokenRefused, ignore
from facewire_server.rpc.listening import require_usable
from facewire_server.rpc.services import is_open

__all__ = ["TlsCertificate", "TokenInterceptor"]


class TokenInterceptor(aio.ServerInterceptor):
    """Refuses calls that do not carry the token; reads nothing of their request."""

    def __init__(self, token: str, emit: Emit = ignore) -> None:
        """Takes one token, or several that are all valid, one a line; emits `TokenRefused`."""
        self._emit = emit
        self._valid: tuple[bytes, ...] = ()
        self.replace(token)

    def replace(self, token: str) -> None:
        """Replaces the valid tokens, for calls that begin from now on; the form is the constructor's."""
        self._valid = tuple(line.strip().encode() for line in token.splitlines() if line.strip())

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Lets the call through, or puts a refusal in its handler's place."""
        open_to_all = is_open(handler_call_details.method)
        if open_to_all or self._is_valid(handler_call_details.invocation_metadata):
            return await continuation(handler_call_details)
        # A client receives the same refusal from a streaming handler as from a unary one.
        return grpc.stream_stream_rpc_method_handler(self._refuse)

    def _is_valid(self, metadata: Any) -> bool:
        for key, value in metadata:
            if key == "authorization":
                scheme, _, token = value.partition(" ")
                # Compares in constant time, with every token, so that the time reveals nothing about them.
                sent = token.strip().encode()
                matches = [hmac.compare_digest(sent, valid) for valid in self._valid]
                return any(matches) and scheme.lower() == "bearer"
        return False

    async def _refuse(self, requests: Any, context: Any) -> NoReturn:
        self._emit(TokenRefused(context.peer()))
        raise TokenRequired("a bearer token is required (metadata `authorization: Bearer ...`)")


class TlsCertificate:
    """The certificate that the server shows to new connections."""

    def __init__(self, certificate_chain: bytes, private_key: bytes) -> None:
        """Takes both as PEM; raises OSError if gRPC cannot use them."""
        self._shown = _configuration(certificate_chain, private_key)
        self._next: grpc.ServerCertificateConfiguration | None = None

    def replace(self, certificate_chain: bytes, private_key: bytes) -> None:
        """Shows another certificate from the next connection on; open connections stay.

        Raises:
            OSError: gRPC cannot use it; the one before stays.
        """
        self._next = _configuration(certificate_chain, private_key)

    def credentials(self) -> grpc.ServerCredentials:
        """Returns the server's side of TLS, which follows `replace`."""
        fetch: Any = self._fetch  # the types of grpc-stubs lack that None is allowed
        return grpc.dynamic_ssl_server_credentials(self._shown, fetch)

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC before each handshake, one at a time; None = unchanged."""
        fetched, self._next = self._next, None
        return fetched


def _configuration(chain: bytes, key: bytes) -> grpc.ServerCertificateConfiguration:
    configuration = grpc.ssl_server_certificate_configuration([(key, chain)])
    require_usable(configuration)
    return configuration
