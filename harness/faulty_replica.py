"""A replica of a model that is alive, and fails predictions when a test or a measurement wants it.

It stands before a real model server and passes its calls on, so that what it does not spoil is right. It has a port of its own: to
the server it is one more PredictionService.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import grpc

from facewire_server.backends.tfserving import wire

__all__ = ["FAULTS", "GARBAGE", "FaultyReplica", "faulty_replica"]

_THREADS: Final = 32
"""Calls at once: more than a server has in flight."""

_HANG_S: Final = 600.0
"""Seconds that a call hangs if its fault is not ended: longer than a picture's time."""

Garble = Callable[[bytes], bytes]
Fault = Callable[["FaultyReplica", bytes, grpc.ServicerContext], bytes]


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


def _not_a_number(answer: bytes) -> bytes:
    response = wire.PredictResponse.FromString(answer)
    for tensor in response.outputs.values():
        tensor.float_val[:] = [float("nan")] * len(tensor.float_val)
    return bytes(response.SerializeToString())


GARBAGE: Final[dict[str, Garble]] = {
    "bytes": lambda answer: b"\xff" * len(answer),
    "nothing": lambda answer: b"",
    "no tensor": _empty,
    "not a number": _not_a_number,
    "terabytes": _shape(1 << 40, 128),
    "gigabytes": _shape(1 << 20, 128),
}
"""What may be done to an answer."""


def _garbled(garble: Garble) -> Fault:
    return lambda replica, request, context: garble(replica.passed_on(request, context))


def _status(code: grpc.StatusCode) -> Fault:
    def fault(replica: "FaultyReplica", request: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, "a fault")
        raise AssertionError("abort raises")

    return fault


def _hang(replica: "FaultyReplica", request: bytes, context: grpc.ServicerContext) -> bytes:
    replica.ended.wait(min(context.time_remaining() or _HANG_S, _HANG_S))
    return replica.passed_on(request, context)


FAULTS: Final[dict[str, Fault]] = {
    "INTERNAL": _status(grpc.StatusCode.INTERNAL),
    "UNKNOWN": _status(grpc.StatusCode.UNKNOWN),
    "UNAVAILABLE": _status(grpc.StatusCode.UNAVAILABLE),
    "RESOURCE_EXHAUSTED": _status(grpc.StatusCode.RESOURCE_EXHAUSTED),
    "ABORTED": _status(grpc.StatusCode.ABORTED),
    "NOT_FOUND": _status(grpc.StatusCode.NOT_FOUND),
    "hangs": _hang,
    **{f"garbage: {name}": _garbled(garble) for name, garble in GARBAGE.items()},
}
"""What may become of a call to Predict, by name."""


class FaultyReplica(grpc.GenericRpcHandler):
    """Passes calls on as bytes, but for calls to Predict while there is a fault.

    Attributes:
        address: its own.
        every: one of this number of calls to Predict has the fault; 1 = all.
        failed: number of calls that had a fault.
        answered: number of calls to Predict that had none.
        ended: is set when no fault is on.
    """

    def __init__(self, replica: grpc.Channel) -> None:
        self.address = ""
        self.every = 1
        self.failed = self.answered = 0
        self.ended = threading.Event()
        self.ended.set()
        self._fault: Fault | None = None
        self._replica = replica
        self._calls = 0

    def fail(self, fault: str) -> None:
        """Begins a fault, by its name in `FAULTS`."""
        self._fault = FAULTS[fault]
        self.ended.clear()

    def recover(self) -> None:
        """Ends the fault; calls that hang are answered."""
        self._fault = None
        self.ended.set()

    def passed_on(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Returns the real answer to a call to Predict."""
        return self._pass_on(wire.PREDICT, request, context)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Handles every method."""
        method = handler_call_details.method

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            if method != wire.PREDICT:
                return self._pass_on(method, request, context)
            self._calls += 1
            fault = self._fault
            if fault is None or self._calls % self.every:
                answer = self._pass_on(method, request, context)
                self.answered += 1
                return answer
            self.failed += 1
            return fault(self, request, context)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _pass_on(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            answer: bytes = self._replica.unary_unary(method, bytes, bytes)(
                request, context.time_remaining()
            )
        except grpc.RpcError as error:
            context.abort(error.code(), error.details() or "")
        return answer


@contextmanager
def faulty_replica(address: str) -> Iterator[FaultyReplica]:
    """Stands before the model server at an address until the block ends."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with (
        grpc.insecure_channel(address, options) as replica,
        ThreadPoolExecutor(_THREADS) as threads,
    ):
        handler = FaultyReplica(replica)
        server = grpc.server(threads, options=[*options, ("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((handler,))
        handler.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield handler
        finally:
            handler.recover()
            server.stop(None).wait()
