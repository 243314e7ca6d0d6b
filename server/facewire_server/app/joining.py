"""Joins the rooms: a server over the line."""

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from importlib.metadata import version
from pathlib import Path

from grpc import aio

from facewire_server.access.audit_trail import Trail
from facewire_server.app.capacity import Work
from facewire_server.app.erasing import Erasing
from facewire_server.app.line import join_line
from facewire_server.app.values import (
    probe_gate,
    request_defaults,
    server_options,
    serving_limits,
    standards,
)
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.events import Emit
from facewire_server.galleries.examining import Examiner
from facewire_server.host.open_files import raise_open_files
from facewire_server.models import Models
from facewire_server.pipeline.negative import NegativeExampleMaker
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.opened import EMBEDDED
from facewire_server.rpc.gallery import GalleryServicer
from facewire_server.rpc.recognition import RecognitionServicer
from facewire_server.rpc.server import Server
from facewire_server.rpc.server_info import server_info_message
from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.journal import Journal
from facewire_server.streams.loads import Loads
from facewire_server.streams.unknown import NotKeptUnknown, UnknownKeeper
from facewire_server.telemetry.opened import Telemetry, TracesNotInstalled
from facewire_server.telemetry.state import Build

__all__ = ["build_info", "join", "open_telemetry"]


def join(
    settings: Settings,
    contract: ModelContract,
    models: Models,
    gallery: LmdbGallery,
    journal: Journal,
    unknown: UnknownKeeper | NotKeptUnknown,
    work: Work,
    threads: Executor,
    trail: Trail,
    erasing: Erasing,
    loads: Loads,
    emit: Emit,
    interceptors: Sequence[aio.ServerInterceptor],
) -> Server:
    """Builds the line over models and gallery, and the server over the line and the journal. Nothing listens yet."""
    limits, defaults = serving_limits(settings), request_defaults(settings, contract)
    line = join_line(settings, contract, models, gallery, work, threads, emit, unknown)
    gate = probe_gate(settings, contract)
    negatives = NegativeExampleMaker(
        line.finder,
        models.embedder,
        gallery,
        work.slots,
        gate=gate.asking(min_inter_eye_px=defaults.decision.min_inter_eye_px),
    )
    return Server(
        server_options(settings, raise_open_files()),
        RecognitionServicer(
            line.recognizer,
            partial(Camera, line.camera_line),
            gallery,
            work.slots,
            work.frame_bytes,
            journal,
            loads=loads,
            limits=limits,
            defaults=defaults,
            info=server_info_message(
                model_contract_id=contract.id,
                model_contract_name=Path(settings.model_contract).stem,
                picture_timeout_s=work.slots.picture_timeout_s,
                limits=limits,
                defaults=defaults,
                keeps_crops=journal.keeps_crops,
                keeps_enrollment_crops=settings.keep_enrollment_crops,
                keeps_unknown=unknown.are_kept,
                scores_attacks=settings.presentation_attacks,
            ),
            emit=emit,
        ),
        GalleryServicer(
            gallery,
            line.enroller,
            negatives,
            limits=limits,
            defaults=defaults,
            dimension=contract.dimension,
            trail=trail,
            examiner=Examiner(gallery, standards(settings, contract)),
            purge=erasing.at_once,
            unknown=unknown,
            emit=emit,
        ),
        limits=limits,
        call_bytes=work.call_bytes,
        emit=emit,
        interceptors=interceptors,
    )


def open_telemetry(settings: Settings, *, is_worker: bool) -> Telemetry:
    """Returns metrics and traces as the settings ask for them.

    Raises:
        SettingsError: traces are asked for, and their packages are not installed.
    """
    try:
        return Telemetry(
            version=version("facewire-server"),
            metrics_listen=settings.metrics_listen,
            cameras=settings.shown_cameras,
            traces_endpoint=settings.traces_endpoint,
            traces_sample=settings.traces_sample,
            is_worker=is_worker,
        )
    except TracesNotInstalled as error:
        raise SettingsError(str(error)) from error


def build_info(contract: ModelContract, models: Models) -> Build:
    """Returns what the metrics say about this build."""
    places = {one.runs_at == EMBEDDED for one in models.statistics()}
    engines = [
        name for here, name in ((True, "openvino"), (False, "tensorflow_serving")) if here in places
    ]
    return Build(version("facewire-server"), contract.id, ",".join(engines))
