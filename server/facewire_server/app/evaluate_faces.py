"""Opens models and line, and takes labeled pictures through them: for an evaluation, and for measurements of error rates."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

import cv2

from facewire_server.app.capacity import (
    line_threads,
    processors_of,
    work,
)
from facewire_server.app.evaluate_gallery import temporary_storage
from facewire_server.app.evaluate_pictures import take_pictures
from facewire_server.app.line import join_line
from facewire_server.app.values import (
    enrollment_gate,
    model_addresses,
    probe_gate,
    request_defaults,
    usable_model_contract,
)
from facewire_server.configuration.credentials import read_file
from facewire_server.configuration.settings import Settings
from facewire_server.evaluation.cache import face_cache
from facewire_server.evaluation.labels import LabeledPicture
from facewire_server.evaluation.samples import Gates, Samples
from facewire_server.host.processors import usable_processors
from facewire_server.models import Models, open_models
from facewire_server.pipeline.acquire import Acquirer
from facewire_server.proof.model_contract import ModelContract
from facewire_server.types import FaceSelection

__all__ = ["labeled_samples", "prove_models"]

_PATIENCE_S: Final = 600.0
"""Seconds for a picture, in place of `frame_timeout_s`: a busy machine is no error of the models. Chosen, not measured."""


async def labeled_samples(
    pictures: tuple[LabeledPicture, ...],
    settings: Settings,
    contract: ModelContract,
    *,
    selection: FaceSelection,
    embeddings: Path | None,
    progress: Callable[[float], None],
) -> Samples:
    """Returns what a server with these settings makes of the pictures.

    Args:
        pictures: with their labels.
        settings: of the server.
        contract: the model contract of `settings`.
        selection: which face of a picture is the labeled one.
        embeddings: folder that keeps the faces; None = none does.
        progress: takes the share that is done.

    Raises:
        LabelError: none of the pictures is there.
        SettingsError: a setting cannot be used.
        ServerError, OSError: the text says why; what was embedded is kept.
    """
    settings = replace(settings, frame_timeout_s=_PATIENCE_S)
    defaults = request_defaults(settings, contract)
    processors = processors_of(settings, usable_processors().count)
    gates = Gates(
        probe_gate(settings, contract).asking(min_inter_eye_px=defaults.decision.min_inter_eye_px),
        enrollment_gate(settings, contract),
    )
    cv2.setNumThreads(1)  # as in a server: pictures are worked on concurrently
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    shaping = (
        contract.id,
        version("facewire-server"),
        settings.detector,
        selection,
        defaults.picture,
    )
    with (
        face_cache(embeddings, repr(shaping)) as cache,
        temporary_storage(contract) as storage,  # the line wants a gallery; nothing is enrolled
        ThreadPoolExecutor(line_threads(processors)) as threads,
    ):
        async with _opened(settings, contract, processors) as models:
            is_served = any(model_addresses(settings, contract).values())
            shared = work(settings, processors, is_served=is_served)
            line = join_line(settings, contract, models, storage, shared, threads)
            rows = await take_pictures(
                pictures,
                Acquirer(line.finder, models.embedder, shared.slots),
                cache,
                gates,
                selection,
                defaults.picture,
                at_once=shared.slots.statistics().count,
                progress=progress,
            )
    return Samples(rows, contract.dimension)


async def prove_models(settings: Settings) -> None:
    """Opens the models of these settings, and closes them: an evaluation of them can begin.

    Raises:
        SettingsError: a setting cannot be used.
        ModelUnavailable: a model that runs in this process is missing, or is not the right one; one at an address is not asked.
    """
    contract = usable_model_contract(settings, settings.model_contract)
    async with _opened(settings, contract, threads=1):
        pass


def _opened(
    settings: Settings, contract: ModelContract, threads: int
) -> AbstractAsyncContextManager[Models]:
    return open_models(
        contract,
        folder=settings.models,
        threads=threads,
        addresses=model_addresses(settings, contract),
        tls_ca=read_file(settings.models_tls_ca),
        detector=settings.detector,
    )
