"""A servable is used only if a version is loaded and declares the signature that the server calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from facewire_server.backends.tfserving import TfServingModel, wire
from facewire_server.backends.tfserving.replica import TfServingReplica
from facewire_server.errors import ModelUnavailable
from facewire_server.proof import signature

LOADING, AVAILABLE = 20, 30
"""Of TensorFlow Serving's `ModelVersionStatus.State`."""


def declared(
    name: str = "serving_default",
    width: int = 2,
    dtype: int = wire.DT_FLOAT,
    norms: tuple[int, ...] | None = (-1,),
) -> bytes:
    """The signatures of an embedding model whose vectors have this width; `norms` None = no such output."""
    signatures = wire.SignatureDefMap()
    one = signatures.signature_def[name]
    one.inputs["faces"].dtype = wire.DT_UINT8
    one.outputs["embeddings"].dtype = dtype
    for tensor, sizes in (
        (one.inputs["faces"], (-1, 112, 112, 3)),
        (one.outputs["embeddings"], (-1, width)),
    ):
        for size in sizes:
            tensor.tensor_shape.dim.add(size=size)
    if norms is not None:
        one.outputs["norms"].dtype = wire.DT_FLOAT
        for size in norms:
            one.outputs["norms"].tensor_shape.dim.add(size=size)
    return bytes(signatures.SerializeToString())


class Serving(grpc.GenericRpcHandler):
    """Version 3 of a model in a state, with signatures."""

    def __init__(self, state: int, signatures: bytes) -> None:
        status = wire.GetModelStatusResponse()
        status.model_version_status.add(version=3, state=state)
        metadata = wire.GetModelMetadataResponse()
        metadata.model_spec.version.value = 3
        packed = metadata.metadata["signature_def"]
        packed.type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
        packed.value = signatures
        self._answers = {wire.GET_MODEL_STATUS: status, wire.GET_MODEL_METADATA: metadata}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        answer = self._answers[handler_call_details.method].SerializeToString()

        async def answered(request: bytes, context: Any) -> bytes:
            return answer

        return grpc.unary_unary_rpc_method_handler(answered)


@asynccontextmanager
async def served(state: int, signatures: bytes) -> AsyncIterator[TfServingReplica]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Serving(state, signatures),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    model = TfServingModel("embedding", address, signature.embedding(2))
    (replica,) = await model.replicas()
    yield replica
    await model.close()
    await server.stop(None)


async def test_the_signature_that_is_called_passes() -> None:
    for norms in ((-1,), None):  # models of before that output go on working
        async with served(AVAILABLE, declared(norms=norms)) as replica:
            await replica.check()


@pytest.mark.parametrize(
    ("state", "signatures", "text"),
    [
        (LOADING, declared(), "not available: version 3 in state 20"),
        (AVAILABLE, declared("embed"), r"version 3 .* found signatures \['embed'\]"),
        (AVAILABLE, declared(width=3), r"found .*float32\[\?,3\]"),
        (AVAILABLE, declared(dtype=wire.DT_UINT8), r"found .*uint8\[\?,2\]"),
        (AVAILABLE, declared(norms=(-1, 1)), r"found .*norms: float32\[\?,1\]"),
        (AVAILABLE, b"\xff\xff", "returns no signatures"),
    ],
)
async def test_another_is_refused_with_what_was_found(
    state: int, signatures: bytes, text: str
) -> None:
    async with served(state, signatures) as replica:
        with pytest.raises(ModelUnavailable, match=text):
            await replica.check()
