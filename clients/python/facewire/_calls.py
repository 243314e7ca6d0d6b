"""One unary call: deadline, token, typed errors, and a retry where that is safe."""

from collections.abc import Callable
from typing import Any, Self, TypeVar

import grpc

from facewire._channel import Address, Deadline, retry_unavailable
from facewire._status import error_from_rpc
from facewire.v1 import gallery_pb2_grpc, recognition_pb2_grpc

__all__ = ["Calls"]

_Response = TypeVar("_Response")


class Calls:
    """A connection to a server, with the contract's stubs on it. Safe for threads."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._channel = address.connect()
        # Generated without types; `_call` gives each answer its own.
        self._recognition: Any = recognition_pb2_grpc.RecognitionServiceStub(self._channel)  # type: ignore[no-untyped-call] # generated
        self._galleries: Any = gallery_pb2_grpc.GalleryServiceStub(self._channel)  # type: ignore[no-untyped-call] # generated

    def close(self) -> None:
        """Ends the connection and every call on it. May be called again."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(
        self, method: Callable[..., _Response], request: object, *, repeatable: bool
    ) -> _Response:
        """Calls a method.

        Args:
            method: of one of the stubs.
            request: its message.
            repeatable: whether a second call does no harm where the first one's answer
                was lost; only then is an unavailable server asked again.

        Raises:
            FacewireError: the call failed.
        """
        deadline = Deadline(self._timeout_s)

        def attempt() -> _Response:
            try:
                return method(request, timeout=deadline.left_s, metadata=self._address.metadata)
            except grpc.RpcError as error:
                raise error_from_rpc(error, target=self._address.target) from error

        return retry_unavailable(attempt, deadline) if repeatable else attempt()
