"""One servable behind `PredictionService`: any of its replicas, in any version, may answer."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from grpc import StatusCode, aio
from numpy.typing import NDArray

from facewire_server.backends.tfserving import wire
from facewire_server.backends.tfserving.channel import channel
from facewire_server.backends.tfserving.tensors import from_message, signature_of, write
from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.pipeline.deadline import remaining_s
from facewire_server.pipeline.proven import Answer
from facewire_server.pipeline.signature import Signature

__all__ = ["TfServingModel"]

_SIGNATURE_NAME: Final = "serving_default"
_METADATA_FIELD: Final = "signature_def"
_AVAILABLE: Final = 30
_CHECK_TIMEOUT_S: Final = 2.0
_OLD_CALLS_S: Final = 60.0
_LONGEST_DETAIL: Final = 400
_WELL_TOLD: Final = (
    StatusCode.NOT_FOUND,
    StatusCode.INVALID_ARGUMENT,
    StatusCode.FAILED_PRECONDITION,
)


class TfServingModel:
    """A `pipeline.proven.ServedModel` that speaks TensorFlow Serving's API over grpc.aio.

    Attributes:
        name: the servable's.
    """

    def __init__(
        self, name: str, address: str, signature: Signature, *, tls_ca: bytes = b""
    ) -> None:
        """Connects to nothing yet. To be called in a running event loop, which it stays with.

        Args:
            name: of the servable (`--model_name`).
            address: as `channel.target` takes it.
            signature: what the servable must take and give.
            tls_ca: PEM certificates to check the server's with; b"" = no TLS.

        Raises:
            ValueError: not an address.
        """
        self.name = name
        self._signature = signature
        self._open_channel = partial(channel, address, tls_ca)
        self._connect()
        self._closing: set[asyncio.Task[None]] = set()

    async def answer(self, inputs: Mapping[str, NDArray]) -> Answer:
        """Runs the newest version once, within what is left of the picture's time.

        Raises:
            ModelUnavailable: it does not answer, or answers what is no tensor.
            TimedOut: it has not answered within the picture's time.
        """
        request = wire.PredictRequest()
        request.model_spec.name = self.name
        request.model_spec.signature_name = _SIGNATURE_NAME
        request.output_filter.extend(self._signature.outputs)
        for name, array in inputs.items():
            write(array, request.inputs[name])
        response = await self._ask(self._predict, request, remaining_s())
        try:
            outputs = {name: from_message(tensor) for name, tensor in response.outputs.items()}
        except ValueError as error:
            raise ModelUnavailable(f"the model {self.name!r} answered no tensor") from error
        return Answer(response.model_spec.version.value, outputs)

    async def check(self) -> None:
        """Asks for the servable's state, and compares its signature with what it must be.

        Where nobody is reached, later calls take a new channel: gRPC waits up to two minutes before
        it looks a name up again that it could not resolve, and a container that is started anew
        comes back under another address.

        Raises:
            ModelUnavailable: no version is available, or its signature is another one.
            TimedOut: it has not answered in time.
        """
        try:
            try:
                await self._check()
            except TimedOut:  # a replica that hangs; the next one may be well
                await self._check()
        except ModelUnavailable:
            if self._nobody_there:
                self._reconnect()
            raise

    async def close(self) -> None:
        """Ends the connections."""
        await asyncio.gather(self._channel.close(grace=None), *self._closing)

    def _connect(self) -> None:
        self._channel = self._open_channel()
        self._nobody_there = False
        self._predict = self._method(wire.PREDICT, wire.PredictResponse)
        self._status = self._method(wire.GET_MODEL_STATUS, wire.GetModelStatusResponse)
        self._metadata = self._method(wire.GET_MODEL_METADATA, wire.GetModelMetadataResponse)

    def _reconnect(self) -> None:
        # Calls under way on the old channel keep their time.
        closing = asyncio.create_task(self._channel.close(grace=_OLD_CALLS_S))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._connect()

    async def _check(self) -> None:
        status = wire.GetModelStatusRequest()
        status.model_spec.name = self.name
        states = (await self._ask(self._status, status, _CHECK_TIMEOUT_S)).model_version_status
        if not any(one.state == _AVAILABLE for one in states):
            told = ", ".join(f"version {one.version} in state {one.state}" for one in states)
            raise ModelUnavailable(f"the model {self.name!r} is not available: {told}")
        request = wire.GetModelMetadataRequest(metadata_field=[_METADATA_FIELD])
        request.model_spec.name = self.name
        metadata = await self._ask(self._metadata, request, _CHECK_TIMEOUT_S)
        signatures = wire.SignatureDefMap()
        metadata.metadata[_METADATA_FIELD].Unpack(signatures)
        self._compare(metadata.model_spec.version.value, signatures.signature_def)

    def _compare(self, version: int, found: Mapping[str, Any]) -> None:
        expected = f"expected {_SIGNATURE_NAME}{self._signature}"
        where = f"version {version} of the model {self.name!r}"
        if _SIGNATURE_NAME not in found:
            raise ModelUnavailable(f"{where}: {expected}, found signatures {sorted(found)}")
        signature = signature_of(found[_SIGNATURE_NAME])
        if not self._signature.accepts(signature):
            raise ModelUnavailable(f"{where}: {expected}, found {_SIGNATURE_NAME}{signature}")

    def _method(self, path: str, response: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=response.FromString,
        )

    async def _ask(self, method: Any, request: Any, timeout_s: float | None) -> Any:
        try:
            response = await method(request, timeout=timeout_s)
        except aio.AioRpcError as error:
            code = error.code()
            if code is StatusCode.DEADLINE_EXCEEDED:
                raise TimedOut(f"the model {self.name!r} did not answer in time") from error
            self._nobody_there = code is StatusCode.UNAVAILABLE
            text = f"the model {self.name!r} does not answer: {code.name}"
            if code in _WELL_TOLD:  # the server's own words, about names, types and shapes
                text += f": {(error.details() or '')[:_LONGEST_DETAIL]}"
            raise ModelUnavailable(text) from error
        self._nobody_there = False
        return response
