"""One signature of a servable at one address, over `PredictionService`; any version may answer."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from facewire_server.backends.tfserving import wire
from facewire_server.backends.tfserving.calls import Calls
from facewire_server.backends.tfserving.tensors import from_message, signature_of, write
from facewire_server.errors import ModelUnavailable
from facewire_server.proof.served import Answer
from facewire_server.proof.signature import Signature

__all__ = ["TfServingReplica"]

_METADATA_FIELD: Final = "signature_def"
"""The only field that `GetModelMetadata` has."""

_AVAILABLE: Final = 30
"""Number of `ModelVersionStatus.State.AVAILABLE` in TensorFlow Serving's get_model_status.proto."""

_CHECK_TIMEOUT_S: Final = 2.0
"""Timeout of each call of a check, which computes nothing. Chosen, not measured."""


class TfServingReplica:
    """A `proof.served.ServedReplica` that speaks TensorFlow Serving's API over grpc.aio.

    Attributes:
        address: IP address and port.
    """

    def __init__(
        self, label: str, servable: str, signature: Signature, address: str, calls: Calls
    ) -> None:
        """Joins the parts.

        Args:
            label: the row of the table of servables, for messages.
            servable: its `--model_name`.
            signature: what is called, and what it must take and return.
            address: IP address and port, for the log.
            calls: to the address.
        """
        self.address = address
        self._label = label
        self._servable = servable
        self._signature = signature
        self._calls = calls

    @property
    def connection(self) -> int:
        """Changes whenever the connection is lost."""
        return self._calls.connection

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open now."""
        return self._calls.is_connected

    async def answer(self, inputs: Mapping[str, NDArray], timeout_s: float | None) -> Answer:
        """Runs the newest version once.

        Raises:
            Declined: the replica is overloaded.
            ModelUnavailable: it does not answer, or its outputs are not of the signature.
            TimedOut: it has not answered in time.
        """
        request = wire.PredictRequest()
        request.model_spec.name = self._servable
        request.model_spec.signature_name = self._signature.name
        if not self._signature.optional:
            request.output_filter.extend(self._signature.outputs)
        # Else all outputs are asked for: TensorFlow Serving refuses a request that names one that the version lacks,
        # and versions change between the check of a signature and a request.
        for name, array in inputs.items():
            write(array, request.inputs[name])
        response = await self._calls.ask(wire.PREDICT, request, wire.PredictResponse, timeout_s)
        outputs = {
            name: self._tensor(name, response.outputs[name])
            for name in self._signature.outputs
            if name in response.outputs
        }
        if fault := self._signature.fault(inputs, outputs):
            raise ModelUnavailable(f"the model {self._label!r} returned {fault}")
        return Answer(response.model_spec.version.value, outputs)

    async def check(self) -> None:
        """Asks for the state of the servable's versions, and compares its signature.

        Raises:
            Declined: the replica is overloaded.
            ModelUnavailable: no version is available, or its signature is another one.
            TimedOut: it has not answered in time.
        """
        status = wire.GetModelStatusRequest()
        status.model_spec.name = self._servable
        answer = await self._calls.ask(
            wire.GET_MODEL_STATUS, status, wire.GetModelStatusResponse, _CHECK_TIMEOUT_S
        )
        states = answer.model_version_status
        if not any(one.state == _AVAILABLE for one in states):
            found = ", ".join(f"version {one.version} in state {one.state}" for one in states)
            raise ModelUnavailable(f"the model {self._label!r} is not available: {found}")
        request = wire.GetModelMetadataRequest(metadata_field=[_METADATA_FIELD])
        request.model_spec.name = self._servable
        metadata = await self._calls.ask(
            wire.GET_MODEL_METADATA, request, wire.GetModelMetadataResponse, _CHECK_TIMEOUT_S
        )
        signatures = wire.SignatureDefMap()
        try:
            metadata.metadata[_METADATA_FIELD].Unpack(signatures)
        except DecodeError as error:
            raise ModelUnavailable(f"the model {self._label!r} returns no signatures") from error
        self._compare(metadata.model_spec.version.value, signatures.signature_def)

    async def close(self, *, is_gone: bool = False) -> None:
        """Ends the connection; if the replica is gone, after the calls under way."""
        await self._calls.close(is_replica_gone=is_gone)

    def _tensor(self, name: str, message: Any) -> NDArray:
        try:
            return from_message(message, self._signature.outputs[name])
        except ValueError as error:
            raise ModelUnavailable(f"the model {self._label!r} returned {name}: {error}") from error

    def _compare(self, version: int, found: Mapping[str, Any]) -> None:
        name = self._signature.name
        where = f"version {version} of the model {self._label!r}: expected {self._signature}"
        if name not in found:
            raise ModelUnavailable(f"{where}, found signatures {sorted(found)}")
        signature = signature_of(name, found[name])
        if not self._signature.accepts(signature):
            raise ModelUnavailable(f"{where}, found {signature}")
