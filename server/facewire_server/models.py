"""Opens every row of the table of servables: in this process, or in TensorFlow Serving at an address."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from facewire_server.backends.dlib_detector import DLIB_MIN_FACE_PX, DlibModel
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.backends.saved_model import NoSuchSignature
from facewire_server.backends.tfserving import TfServingModel
from facewire_server.errors import ModelUnavailable
from facewire_server.events import Emit, ModelStateChanged
from facewire_server.pipeline.attacks import AttackDetector
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import EXACT, Embedder, FrameError
from facewire_server.pipeline.follow import Follower
from facewire_server.proof import canary
from facewire_server.proof.model_contract import ModelContract, prove_bfloat16
from facewire_server.proof.opened import ModelStatistics, OpenedModel
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.servables import (
    ATTACK_DETECTOR,
    DETECTOR,
    EMBEDDER,
    FOLLOWER,
    Servable,
    servables,
)
from facewire_server.proof.signature import FOLLOW
from facewire_server.types import CANVAS_MIN_FACE_PX

__all__ = ["DLIB", "FRAME_EMBEDDER", "Models", "open_models"]

DLIB: Final = "dlib"
"""The setting `detector` for dlib's detector in place of the cascade."""

FRAME_EMBEDDER: Final = f"{EMBEDDER}/bfloat16"
"""The label of the model that embeds frames, if that is not the one of the table."""

_CHECK_EVERY_S: Final = 1.0
"""Seconds between two checks: a model that comes back is used at once, health follows within this time.
Chosen, not measured."""


class Models:
    """The opened models, and the steps of the line that call them.

    Attributes:
        detector, embedder: the steps.
        attacks: looks for presentation attacks; None = that is not wanted.
        served: the models that run in another process, and may be unreachable.
    """

    def __init__(
        self,
        opened: Iterable[OpenedModel],
        *,
        dimension: int,
        frame_error: FrameError = EXACT,
        min_face_px: float = CANVAS_MIN_FACE_PX,
    ) -> None:
        """Joins models to their steps.

        Args:
            opened: one for each row of the table, and possibly a `FRAME_EMBEDDER`.
            dimension: length of an embedding.
            frame_error: of the `FRAME_EMBEDDER`.
            min_face_px: side of the smallest face that the detector finds on a canvas, pixels.
        """
        self._opened = {one.name: one for one in opened}
        self.detector = Detector(self._opened[DETECTOR], min_face_px=min_face_px)
        self.embedder = Embedder(
            self._opened[EMBEDDER],
            dimension,
            frames=self._opened.get(FRAME_EMBEDDER),
            frame_error=frame_error,
        )
        is_wanted = ATTACK_DETECTOR in self._opened
        self.attacks = AttackDetector(self._opened[ATTACK_DETECTOR]) if is_wanted else None
        self._follower = Follower(self._opened[FOLLOWER]) if FOLLOWER in self._opened else None
        self.served = tuple(one.served for one in self._opened.values() if one.served is not None)

    @property
    def follower(self) -> Follower | None:
        """The step that follows faces; None = `mtcnn` cannot do that now: every frame is to be searched."""
        is_there = FOLLOWER in self._opened and self._opened[FOLLOWER].is_healthy
        return self._follower if is_there else None

    def statistics(self) -> tuple[ModelStatistics, ...]:
        """Returns the state of each model now and its calls so far, in the order of the table."""
        return tuple(one.statistics() for one in self._opened.values())

    async def watch(self, ready: Callable[[bool], None], emit: Emit) -> None:
        """Checks the served models every second; never returns.

        Args:
            ready: called with whether all required models are healthy, on each change; initially False.
            emit: takes the state of each model, on each change.
        """
        was_ready = False

        async def follow(model: OpenedModel) -> None:
            nonlocal was_ready
            emitted: ModelStateChanged | None = None
            while True:
                await model.refresh()
                state = _state(model.statistics())
                if state != emitted:
                    emitted = state
                    emit(state)
                is_ready = all(one.is_healthy for one in self._opened.values() if one.is_required)
                if is_ready != was_ready:
                    was_ready = is_ready
                    ready(is_ready)
                await asyncio.sleep(_CHECK_EVERY_S)

        # Concurrently: one that hangs must not delay the other's report.
        async with asyncio.TaskGroup() as tasks:
            for model in self._opened.values():
                if model.served is not None:
                    tasks.create_task(follow(model))


@asynccontextmanager
async def open_models(
    contract: ModelContract,
    *,
    folder: Path,
    threads: int,
    addresses: Mapping[str, str] | None = None,
    tls_ca: bytes = b"",
    embed_frames: str = "float32",
    detector: str = DETECTOR,
    presentation_attacks: bool = False,
) -> AsyncIterator[Models]:
    """Opens all models for the block.

    Args:
        contract: which embedding model it must be.
        folder: of the SavedModels that run in this process.
        threads: processors that a model in this process may use.
        addresses: by `Servable.address_setting`; a model whose address is missing or "" runs in
            this process.
        tls_ca: PEM certificates to check the certificates of TensorFlow Serving with; b"" = no
            TLS.
        embed_frames: the setting of that name.
        detector, presentation_attacks: the settings of these names.

    Raises:
        ModelUnavailable: a model that runs in this process is missing, or is not the right one.
        ValueError: not an address.
    """
    async with AsyncExitStack() as stack:
        opened: list[OpenedModel] = []
        for row in servables(contract, presentation_attacks=presentation_attacks):
            address = (addresses or {}).get(row.address_setting, "")
            if row.label == DETECTOR and detector == DLIB:
                one = await _dlib(stack, row, folder, threads, address)
            elif address:
                one = _served(stack, row, address, tls_ca)
            elif (engine := _engine(stack, row, folder, threads)) is None:
                one = OpenedModel.missing(row.label, f"{folder / row.name} has no such signature")
            else:
                await row.prove(engine)
                one = OpenedModel(
                    row.label,
                    engine,
                    embedded_version=engine.version,
                    is_required=row.is_required,
                )
            opened.append(one)
            if row.label == EMBEDDER and not address and engine is not None:
                opened += await _for_frames(stack, engine, contract, embed_frames)
        error = contract.bfloat16.frame_error if contract.bfloat16 else EXACT
        yield Models(
            opened,
            dimension=contract.dimension,
            frame_error=error,
            min_face_px=DLIB_MIN_FACE_PX if detector == DLIB else CANVAS_MIN_FACE_PX,
        )


def _served(stack: AsyncExitStack, row: Servable, address: str, tls_ca: bytes) -> OpenedModel:
    remote = TfServingModel(row.name, address, row.signature, label=row.label, tls_ca=tls_ca)
    stack.push_async_callback(remote.close)
    model = ProvenModel(remote, row.prove)
    return OpenedModel(row.label, model, address=address, is_required=row.is_required)


def _engine(
    stack: AsyncExitStack, row: Servable, folder: Path, threads: int
) -> OpenVinoModel | None:
    """Returns the engine; None = the SavedModel lacks a signature that is not required."""
    try:
        engine = OpenVinoModel(
            folder / row.name,
            row.signature.name,
            threads=threads,
            is_for_frames=row.label == FOLLOWER,
        )
    except NoSuchSignature:
        if row.is_required:
            raise
        return None
    stack.callback(engine.close)
    return engine


async def _dlib(
    stack: AsyncExitStack, row: Servable, folder: Path, threads: int, address: str
) -> OpenedModel:
    """Opens dlib's detector in place of the cascade; the same drawing proves it."""
    if address:
        raise ModelUnavailable(
            "detector is dlib, which runs in this process, but detector_address names a model server"
        )
    refine = OpenVinoModel(folder / row.name, FOLLOW.name, threads=threads)
    stack.callback(refine.close)
    model = DlibModel(refine)
    stack.callback(model.close)
    await row.prove(model)
    return OpenedModel(row.label, model, embedded_version=refine.version)


async def _for_frames(
    stack: AsyncExitStack, exact: OpenVinoModel, contract: ModelContract, embed_frames: str
) -> list[OpenedModel]:
    """Returns the model in bfloat16, if it is wanted, its error is known, and it is faster; else an empty list."""
    if embed_frames == "float32" or contract.bfloat16 is None:
        return []
    frames = exact.in_bfloat16()
    if embed_frames == "auto" and not frames.is_faster_than(exact, {"faces": canary.crops()[:1]}):
        frames.close()
        return []
    stack.callback(frames.close)
    await prove_bfloat16(frames, contract, contract.bfloat16)
    exact.use_alone()
    return [OpenedModel(FRAME_EMBEDDER, frames, embedded_version=exact.version)]


def _state(now: ModelStatistics) -> ModelStateChanged:
    # A model that does not answer loses its versions one by one, which would be an entry each.
    versions = now.proven_versions if now.healthy else ()
    return ModelStateChanged(now.name, now.healthy, versions, now.refusal)
