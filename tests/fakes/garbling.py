"""A proxy between a server and a replica of a model, which garbles answers while a test wants it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from facewire_server.backends.tfserving import wire

__all__ = ["GARBAGE", "Garbling", "garbling"]

Garble = Callable[[bytes], bytes]


def _shape(*sizes: int) -> Garble:
    def garble(answer: bytes) -> bytes:
        response = wire.PredictResponse.FromString(answer)
        for tensor in response.outputs.values():
            del tensor.tensor_shape.dim[:]
            for size in sizes:
                tensor.tensor_shape.dim.add(size=size)
        return bytes(response.SerializeToString())

    return garble


def _empty(answer: bytes) -> bytes:
    response = wire.PredictResponse.FromString(answer)
    response.outputs.clear()
    return bytes(response.SerializeToString())


GARBAGE: dict[str, Garble] = {
    "bytes": lambda answer: b"\xff" * len(answer),
    "nothing": lambda answer: b"",
    "no tensor": _empty,
    "terabytes": _shape(1 << 40, 128),
    "gigabytes": _shape(1 << 20, 128),
}


class Garbling(grpc.GenericRpcHandler):
    """Forwards calls as bytes.

    Attributes:
        garble: is applied to the answers to Predict; None = they stay as they are.
        garbled: number of answers that it was applied to.
    """

    def __init__(self, replica: grpc.Channel) -> None:
        self.garble: Garble | None = None
        self.garbled = 0
        self._replica = replica

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = handler_call_details.method

        def forward(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                answer: bytes = self._replica.unary_unary(method, bytes, bytes)(
                    request, context.time_remaining()
                )
            except grpc.RpcError as error:
                context.abort(error.code(), error.details() or "")
            if method == wire.PREDICT and self.garble:
                self.garbled += 1
                return self.garble(answer)
            return answer

        return grpc.unary_unary_rpc_method_handler(forward)


@contextmanager
def garbling(address: str) -> Iterator[tuple[str, Garbling]]:
    """Stands before the replica at an address until the block ends; yields its own address."""
    with grpc.insecure_channel(address) as replica, ThreadPoolExecutor(8) as threads:
        handler = Garbling(replica)
        server = grpc.server(threads)
        server.add_generic_rpc_handlers((handler,))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}", handler
        finally:
            server.stop(None).wait()
