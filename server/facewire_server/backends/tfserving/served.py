"""One signature of a servable behind `PredictionService`: any replica, in any version, may answer."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from facewire_server.backends.tfserving import wire
from facewire_server.backends.tfserving.addresses import target
from facewire_server.backends.tfserving.calls import Calls
from facewire_server.backends.tfserving.tensors import from_message, signature_of, write
from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof.proven import Answer
from facewire_server.proof.signature import Signature
from facewire_server.work.deadline import remaining_s

__all__ = ["TfServingModel"]

_METADATA_FIELD: Final = "signature_def"
"""The only field that `GetModelMetadata` has."""

_AVAILABLE: Final = 30
"""Number of `ModelVersionStatus.State.AVAILABLE` in TensorFlow Serving's get_model_status.proto."""

_CHECK_TIMEOUT_S: Final = 2.0
"""Timeout of each call of a check, which computes nothing. Chosen, not measured."""


class TfServingModel:
    """A `proof.proven.ServedModel` that speaks TensorFlow Serving's API over grpc.aio.

    Attributes:
        name: the row of the table of servables, for messages.
        replica_count: number of replica addresses; 0 = unknown, since gRPC resolves a DNS name.
    """

    def __init__(
        self,
        servable: str,
        address: str,
        signature: Signature,
        *,
        label: str = "",
        tls_ca: bytes = b"",
    ) -> None:
        """Connects at the first call. Belongs to the running event loop.

        Args:
            servable: its `--model_name`.
            address: as `addresses.target` takes it.
            signature: what is called, and what it must take and return.
            label: the row of the table of servables; "" = the servable's name.
            tls_ca: PEM certificates to check the servers' with; b"" = no TLS.

        Raises:
            ValueError: not an address.
        """
        self.name = label or servable
        self._servable = servable
        self._signature = signature
        replicas = target(address, tls=bool(tls_ca))
        self.replica_count = replicas.replica_count
        self._calls = Calls(self.name, replicas, tls_ca)

    @property
    def connection(self) -> int:
        """Changes whenever a call finds a connection lost, or connections are opened again."""
        return self._calls.connection

    async def answer(self, inputs: Mapping[str, NDArray]) -> Answer:
        """Runs the newest version once, within the rest of the picture's time.

        Raises:
            ModelUnavailable: it does not answer, or its outputs are not of the signature.
            TimedOut: it has not answered within the picture's time.
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
        response = await self._calls.ask(wire.PREDICT, request, wire.PredictResponse, remaining_s())
        outputs = {
            name: self._tensor(name, response.outputs[name])
            for name in self._signature.outputs
            if name in response.outputs
        }
        return Answer(response.model_spec.version.value, outputs)

    async def check(self) -> None:
        """Asks for the state of the servable's versions, and compares its signature.

        Raises:
            ModelUnavailable: no version is available, or its signature is another one.
            TimedOut: it has not answered in time.
        """
        try:
            try:
                await self._check()
            except TimedOut:  # this replica hangs; the next one may be healthy
                await self._check()
        except ModelUnavailable:
            self._calls.reopen_if_unreachable()
            raise

    async def close(self) -> None:
        """Ends the connections."""
        await self._calls.close()

    def _tensor(self, name: str, message: Any) -> NDArray:
        try:
            return from_message(message, self._signature.outputs[name])
        except ValueError as error:
            raise ModelUnavailable(f"the model {self.name!r} returned {name}: {error}") from error

    async def _check(self) -> None:
        status = wire.GetModelStatusRequest()
        status.model_spec.name = self._servable
        answer = await self._calls.ask(
            wire.GET_MODEL_STATUS, status, wire.GetModelStatusResponse, _CHECK_TIMEOUT_S
        )
        states = answer.model_version_status
        if not any(one.state == _AVAILABLE for one in states):
            found = ", ".join(f"version {one.version} in state {one.state}" for one in states)
            raise ModelUnavailable(f"the model {self.name!r} is not available: {found}")
        request = wire.GetModelMetadataRequest(metadata_field=[_METADATA_FIELD])
        request.model_spec.name = self._servable
        metadata = await self._calls.ask(
            wire.GET_MODEL_METADATA, request, wire.GetModelMetadataResponse, _CHECK_TIMEOUT_S
        )
        signatures = wire.SignatureDefMap()
        try:
            metadata.metadata[_METADATA_FIELD].Unpack(signatures)
        except DecodeError as error:
            raise ModelUnavailable(f"the model {self.name!r} returns no signatures") from error
        self._compare(metadata.model_spec.version.value, signatures.signature_def)

    def _compare(self, version: int, found: Mapping[str, Any]) -> None:
        name = self._signature.name
        where = f"version {version} of the model {self.name!r}: expected {self._signature}"
        if name not in found:
            raise ModelUnavailable(f"{where}, found signatures {sorted(found)}")
        signature = signature_of(name, found[name])
        if not self._signature.accepts(signature):
            raise ModelUnavailable(f"{where}, found {signature}")
