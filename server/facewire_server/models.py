"""Which engine answers for each servable: this process, or TensorFlow Serving at an address."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.backends.tfserving import TfServingModel
from facewire_server.errors import ServerError
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.ports import Model
from facewire_server.proof import detector_proof, signature
from facewire_server.proof.model_contract import ModelContract, prove
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.signature import Signature
from facewire_server.work.deadline import time_limit

__all__ = ["Models", "open_models"]

_ROUND_S: Final = 1.0
_ROUND_TIMEOUT_S: Final = 10.0
"""A model's first predictions are slow: TensorFlow chooses its kernels then."""

_log = logging.getLogger(__name__)


class Models:
    """The line's two models, joined to their steps.

    Attributes:
        detector, embedder: the steps.
        served: those that answer from elsewhere, and may be away.
    """

    def __init__(
        self, mtcnn: Model, embedding: Model, contract: ModelContract, served: list[ProvenModel]
    ) -> None:
        self.detector = Detector(mtcnn)
        self.embedder = Embedder(embedding, contract.dimension)
        self.served = tuple(served)

    async def watch(self, ready: Callable[[bool], None]) -> None:
        """Says whether all models answer and are proven, each time that this changes; never ends.

        Args:
            ready: is told; takes it for False before it is called.
        """
        well = dict.fromkeys(self.served, False)

        async def follow(model: ProvenModel) -> None:
            said = ""
            while True:
                is_well, text = await _state(model)
                if text != said:
                    said = text
                    _log.log(logging.INFO if is_well else logging.WARNING, "%s", text)
                before = all(well.values())
                well[model] = is_well
                if all(well.values()) != before:
                    ready(not before)
                await asyncio.sleep(_ROUND_S)

        # Beside each other, so that one that hangs does not delay what is said of the other.
        async with asyncio.TaskGroup() as tasks:
            for model in self.served:
                tasks.create_task(follow(model))


@asynccontextmanager
async def open_models(
    contract: ModelContract,
    *,
    folder: Path,
    threads: int,
    detector_address: str = "",
    embedder_address: str = "",
    tls_ca: bytes = b"",
) -> AsyncIterator[Models]:
    """Opens both models for the block.

    Args:
        contract: what the embedding model must be.
        folder: of the SavedModels that are run in this process.
        threads: processors that a model run in this process may use.
        detector_address, embedder_address: of the servables; "" = run it in this process.
        tls_ca: PEM certificates to check the servables' servers with; b"" = no TLS.

    Raises:
        ModelUnavailable: a model that is run in this process is missing, or not the contract's.
        ValueError: not an address.
    """
    served: list[ProvenModel] = []

    @asynccontextmanager
    async def opened(
        name: str, address: str, tensors: Signature, proof: Callable[[Model], Awaitable[None]]
    ) -> AsyncIterator[Model]:
        if address:
            remote = TfServingModel(name, address, tensors, tls_ca=tls_ca)
            served.append(ProvenModel(remote, proof))
            try:
                yield served[-1]
            finally:
                await remote.close()
            return
        embedded = OpenVinoModel(folder / name, threads=threads)
        try:
            await proof(embedded)
            yield embedded
        finally:
            embedded.close()

    async def prove_detector(model: Model) -> None:
        await detector_proof.prove(Detector(model))

    async def prove_embedder(model: Model) -> None:
        await prove(Embedder(model, contract.dimension), contract)

    tensors = signature.embedding(contract.dimension)
    async with (
        opened("mtcnn", detector_address, signature.MTCNN, prove_detector) as mtcnn,
        opened("embedding", embedder_address, tensors, prove_embedder) as embedding,
    ):
        yield Models(mtcnn, embedding, contract, served)


async def _state(model: ProvenModel) -> tuple[bool, str]:
    try:
        async with time_limit(_ROUND_TIMEOUT_S):
            await model.check()
    except ServerError as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - a server must outlive whatever a model answers
        return False, f"the model {model.name!r} cannot be checked: {type(error).__name__}"
    text = f"the model {model.name!r} answers; proven versions: {list(model.versions)}"
    return True, f"{text}; but: {model.refusal}" if model.refusal else text
