"""Who may call: a bearer token for all methods but health, and TLS."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
from grpc import aio

from facewire_server.errors import TokenRequired

__all__ = ["TokenInterceptor", "tls_credentials"]

_OPEN = "/grpc.health.v1.Health/"


class TokenInterceptor(aio.ServerInterceptor):
    """Refuses calls that do not carry the token; reads nothing of their request."""

    def __init__(self, token: str) -> None:
        self._wanted = token.encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Lets the call through, or puts a refusal in its handler's place."""
        open_to_all = handler_call_details.method.startswith(_OPEN)
        if open_to_all or self._is_wanted(handler_call_details.invocation_metadata):
            return await continuation(handler_call_details)
        # To the client a refusal looks the same whatever the method's arity; a streaming
        # handler is the one that gRPC calls before it has read a request.
        return grpc.stream_stream_rpc_method_handler(_refuse)

    def _is_wanted(self, metadata: Any) -> bool:
        for key, value in metadata:
            if key == "authorization":
                scheme, _, token = value.partition(" ")
                # Compared in constant time: how long it takes tells nothing about the token.
                same = hmac.compare_digest(token.strip().encode(), self._wanted)
                return same and scheme.lower() == "bearer"
        return False


async def _refuse(requests: Any, context: Any) -> NoReturn:
    raise TokenRequired("a bearer token is required (metadata `authorization: Bearer ...`)")


def tls_credentials(certificate_chain: bytes, private_key: bytes) -> grpc.ServerCredentials:
    """The server's side of TLS, from PEM."""
    return grpc.ssl_server_credentials([(private_key, certificate_chain)])
