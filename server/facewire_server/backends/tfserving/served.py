"""One servable behind `PredictionService`: any of its replicas, in any version, may answer."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from facewire_server.backends.tfserving import wire
from facewire_server.backends.tfserving.calls import Calls
from facewire_server.backends.tfserving.tensors import from_message, signature_of, write
from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof.proven import Answer
from facewire_server.proof.signature import Signature
from facewire_server.work.deadline import remaining_s

__all__ = ["TfServingModel"]

_SIGNATURE_NAME: Final = "serving_default"
_METADATA_FIELD: Final = "signature_def"
_AVAILABLE: Final = 30
_CHECK_TIMEOUT_S: Final = 2.0


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
            address: as `addresses.endpoints` takes it.
            signature: what the servable must take and give.
            tls_ca: PEM certificates to check the server's with; b"" = no TLS.

        Raises:
            ValueError: not an address.
        """
        self.name = name
        self._signature = signature
        self._calls = Calls(name, address, tls_ca)

    @property
    def replica_count(self) -> int:
        """At how many addresses it is, as far as is known."""
        return self._calls.replica_count

    @property
    def connection(self) -> int:
        """Another number when a connection was lost or opened."""
        return self._calls.connection

    async def answer(self, inputs: Mapping[str, NDArray]) -> Answer:
        """Runs the newest version once, within what is left of the picture's time.

        Raises:
            ModelUnavailable: it does not answer, or not with tensors of the signature.
            TimedOut: it has not answered within the picture's time.
        """
        request = wire.PredictRequest()
        request.model_spec.name = self.name
        request.model_spec.signature_name = _SIGNATURE_NAME
        request.output_filter.extend(self._signature.outputs)
        for name, array in inputs.items():
            write(array, request.inputs[name])
        response = await self._calls.ask(wire.PREDICT, request, wire.PredictResponse, remaining_s())
        outputs = {
            name: self._tensor(name, response.outputs[name])
            for name in self._signature.outputs
            if name in response.outputs
        }
        return Answer(response.model_spec.version.value, outputs)

    async def check(self) -> None:
        """Looks for the replicas, asks for the servable's state, and compares its signature.

        Raises:
            ModelUnavailable: no version is available, or its signature is another one.
            TimedOut: it has not answered in time.
        """
        await self._calls.look_up()
        try:
            try:
                await self._check()
            except TimedOut:  # a replica that hangs; the next one may be well
                await self._check()
        except ModelUnavailable:
            # A container that is started anew comes back under another address.
            self._calls.give_up_on_nobody()
            raise

    async def close(self) -> None:
        """Ends the connections."""
        await self._calls.close()

    def _tensor(self, name: str, message: Any) -> NDArray:
        try:
            return from_message(message, self._signature.outputs[name])
        except ValueError as error:
            raise ModelUnavailable(f"the model {self.name!r} answers {name}: {error}") from error

    async def _check(self) -> None:
        status = wire.GetModelStatusRequest()
        status.model_spec.name = self.name
        answer = await self._calls.ask(
            wire.GET_MODEL_STATUS, status, wire.GetModelStatusResponse, _CHECK_TIMEOUT_S
        )
        states = answer.model_version_status
        if not any(one.state == _AVAILABLE for one in states):
            told = ", ".join(f"version {one.version} in state {one.state}" for one in states)
            raise ModelUnavailable(f"the model {self.name!r} is not available: {told}")
        request = wire.GetModelMetadataRequest(metadata_field=[_METADATA_FIELD])
        request.model_spec.name = self.name
        metadata = await self._calls.ask(
            wire.GET_MODEL_METADATA, request, wire.GetModelMetadataResponse, _CHECK_TIMEOUT_S
        )
        signatures = wire.SignatureDefMap()
        try:
            metadata.metadata[_METADATA_FIELD].Unpack(signatures)
        except DecodeError as error:
            raise ModelUnavailable(f"the model {self.name!r} tells no signatures") from error
        self._compare(metadata.model_spec.version.value, signatures.signature_def)

    def _compare(self, version: int, found: Mapping[str, Any]) -> None:
        expected = f"expected {_SIGNATURE_NAME}{self._signature}"
        where = f"version {version} of the model {self.name!r}"
        if _SIGNATURE_NAME not in found:
            raise ModelUnavailable(f"{where}: {expected}, found signatures {sorted(found)}")
        signature = signature_of(found[_SIGNATURE_NAME])
        if not self._signature.accepts(signature):
            raise ModelUnavailable(f"{where}: {expected}, found {_SIGNATURE_NAME}{signature}")
