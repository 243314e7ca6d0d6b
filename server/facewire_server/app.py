"""The composition root: the one place that knows every room, and joins them by the settings."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import cv2
from grpc import aio

from facewire_server import model_contracts
from facewire_server.backends import tfserving
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.configuration.credentials import read_credentials, read_file, reload_on
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.events import Emit, Stopped, broadcast
from facewire_server.host.processors import usable_processors
from facewire_server.host.signals import handle_signals
from facewire_server.logs import logging_to_stderr
from facewire_server.models import Models, open_models
from facewire_server.pipeline.enroll import Enroller
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.opened import EMBEDDED
from facewire_server.proof.servables import servables
from facewire_server.rpc.gallery import GalleryServicer
from facewire_server.rpc.health import HEALTH_NAMES
from facewire_server.rpc.options import RequestDefaults, ServerOptions
from facewire_server.rpc.recognition import RecognitionServicer
from facewire_server.rpc.server import Server
from facewire_server.rpc.server_info import server_info_message
from facewire_server.started import server_started
from facewire_server.streams.limits import ServingLimits
from facewire_server.telemetry.opened import Telemetry, TracesNotInstalled
from facewire_server.telemetry.state import Build, Sources
from facewire_server.types import DecisionPolicy, DetectionOptions, PictureLimits
from facewire_server.work.failures import emit_failures
from facewire_server.work.loop_lag import measure_loop_lag
from facewire_server.work.slots import WorkSlots

__all__ = ["serve"]

_RECOGNITION: Final = "facewire.v1.RecognitionService"

_SERVED_AT_ONCE: Final = 16

_CALLS_BESIDE_STREAMS: Final = 64


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains; SIGHUP reloads token and certificate.

    When it takes calls it prints one line to standard output: "facewire.v1 on HOST:PORT".

    Raises:
        SettingsError: a file that a setting names cannot be used.
        ModelUnavailable: a model is missing, or not the contract's.
        OSError: the gallery's folder or the address cannot be used.
    """
    with logging_to_stderr(settings.log_format) as log:
        telemetry = _telemetry(settings)
        await _serve(settings, broadcast(log, *telemetry.listeners), telemetry)


async def _serve(settings: Settings, emit: Emit, telemetry: Telemetry) -> None:
    emit_failures(emit)
    signals = handle_signals()
    async with _server(settings, emit, telemetry) as (server, models):
        watching = None
        reloading = asyncio.create_task(
            reload_on(signals.reload, settings, server.replace_credentials, emit)
        )
        measuring = asyncio.create_task(measure_loop_lag(emit))
        try:
            port = await server.start()
            for name in HEALTH_NAMES:
                server.health.set(name, name != _RECOGNITION or not models.served)
            if models.served:
                recognizing = partial(server.health.set, _RECOGNITION)
                watching = asyncio.create_task(models.watch(recognizing, emit))
                watching.add_done_callback(
                    lambda _: signals.stop.set()
                )  # it ends by a failure only
            host = settings.listen.rpartition(":")[0]
            print(f"facewire.v1 on {host}:{port}", flush=True)
            await signals.stop.wait()
        finally:
            reloading.cancel()
            measuring.cancel()
            await server.drain(settings.drain_s)
            if watching is not None and not watching.cancel():
                await watching  # raises what it failed with
    emit(Stopped())


@asynccontextmanager
async def _server(
    settings: Settings, emit: Emit, telemetry: Telemetry
) -> AsyncIterator[tuple[Server, Models]]:
    """Everything joined, not listening yet; models of this process are proven, others may be away."""
    contract = _contract(settings.model_contract)
    usable = usable_processors()
    processors = settings.threads or usable.count
    cv2.setNumThreads(1)  # pictures are worked on beside each other; each takes one processor
    async with open_models(
        contract,
        folder=settings.models,
        threads=processors,
        addresses=_addresses(settings, contract),
        tls_ca=read_file(settings.models_tls_ca),
    ) as models:
        with (
            closing(
                LmdbGallery(
                    settings.data / "gallery",
                    vector_search=ExactSearch(),
                    model_contract_id=contract.id,
                    dimension=contract.dimension,
                    max_bytes=settings.gallery_max_bytes,
                    read_threads=processors + 1,
                )
            ) as gallery,
            ThreadPoolExecutor(2 * processors + 2, thread_name_prefix="line") as threads,
        ):
            # One more than processors: while all are busy, the next picture is being read. Those
            # that a model elsewhere works on need none of them.
            usual = processors + 1 + (_SERVED_AT_ONCE if models.served else 0)
            slots = WorkSlots(
                settings.pictures_at_once or usual, picture_timeout_s=settings.frame_timeout_s
            )
            server = _joined(
                settings,
                contract,
                models,
                gallery,
                slots,
                threads,
                emit,
                telemetry.interceptors,
            )
            emit(
                server_started(
                    settings,
                    contract,
                    models.statistics(),
                    usable,
                    pictures_at_once=settings.pictures_at_once or usual,
                    max_calls=settings.max_streams + _CALLS_BESIDE_STREAMS,
                )
            )
            sources = Sources(
                slots.statistics, server.streams.statistics, models.statistics, gallery.statistics
            )
            async with telemetry.serving(sources, _build(contract, models), emit):
                yield server, models


def _joined(
    settings: Settings,
    contract: ModelContract,
    models: Models,
    gallery: LmdbGallery,
    slots: WorkSlots,
    threads: Executor,
    emit: Emit,
    interceptors: Sequence[aio.ServerInterceptor],
) -> Server:
    limits, defaults = _limits(settings), _defaults(settings)
    finder = FaceFinder(models.detector, limits=limits.picture, threads=threads, emit=emit)
    recognizer = Recognizer(finder, models.embedder, gallery, slots, model_contract_id=contract.id)
    enroller = Enroller(
        finder,
        models.embedder,
        gallery,
        slots,
        min_inter_eye_px=settings.enroll_min_inter_eye_px,
    )
    return Server(
        _options(settings),
        RecognitionServicer(
            recognizer,
            gallery,
            slots,
            limits=limits,
            defaults=defaults,
            info=server_info_message(
                model_contract_id=contract.id,
                model_contract_name=Path(settings.model_contract).stem,
                picture_timeout_s=slots.picture_timeout_s,
                limits=limits,
                defaults=defaults,
            ),
            emit=emit,
        ),
        GalleryServicer(
            gallery,
            enroller,
            limits=limits,
            defaults=defaults,
            dimension=contract.dimension,
            emit=emit,
        ),
        limits=limits,
        emit=emit,
        interceptors=interceptors,
    )


def _telemetry(settings: Settings) -> Telemetry:
    try:
        return Telemetry(
            version=version("facewire-server"),
            metrics_listen=settings.metrics_listen,
            cameras=settings.shown_cameras,
            traces_endpoint=settings.traces_endpoint,
            traces_sample=settings.traces_sample,
        )
    except TracesNotInstalled as error:
        raise SettingsError(str(error)) from error


def _build(contract: ModelContract, models: Models) -> Build:
    places = {one.runs_at == EMBEDDED for one in models.statistics()}
    engines = [
        name for here, name in ((True, "openvino"), (False, "tensorflow_serving")) if here in places
    ]
    return Build(version("facewire-server"), contract.id, ",".join(engines))


def _contract(name_or_path: str) -> ModelContract:
    shipped = Path(model_contracts.__path__[0]) / f"{name_or_path}.json"
    path = shipped if shipped.is_file() else Path(name_or_path)
    try:
        return ModelContract.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"model_contract is {name_or_path}, which cannot be used: {error}"
        ) from error


def _addresses(settings: Settings, contract: ModelContract) -> dict[str, str]:
    """Returns the addresses of the served models by the name of their setting."""
    names = {row.address_setting for row in servables(contract)}
    addresses: dict[str, str] = {name: getattr(settings, name) for name in names}
    for name, address in addresses.items():
        try:
            if address:
                tfserving.target(address, tls=settings.models_tls_ca is not None)
        except ValueError as error:
            raise SettingsError(f"{name} is {address!r}: {error}") from error
    return addresses


def _limits(settings: Settings) -> ServingLimits:
    return ServingLimits(
        picture=PictureLimits(settings.max_frame_bytes, settings.max_pixels),
        max_in_flight=settings.max_in_flight,
        slow_reader_timeout_s=settings.slow_reader_timeout_s,
        max_streams=settings.max_streams,
    )


def _defaults(settings: Settings) -> RequestDefaults:
    def detection(short_side_fraction: float) -> DetectionOptions:
        return DetectionOptions(
            min_score=settings.min_score,
            max_faces=settings.max_faces,
            short_side_fraction=short_side_fraction,
        )

    return RequestDefaults(
        decision=DecisionPolicy(
            threshold=settings.threshold,
            min_margin=settings.min_margin,
            min_inter_eye_px=settings.min_inter_eye_px,
        ),
        picture=detection(1 / 32),
        stream=detection(1 / 16),
    )


def _options(settings: Settings) -> ServerOptions:
    credentials = read_credentials(settings)
    return ServerOptions(
        address=settings.listen,
        token=credentials.token,
        tls_certificate_chain=credentials.tls_certificate_chain,
        tls_private_key=credentials.tls_private_key,
        max_calls=settings.max_streams + _CALLS_BESIDE_STREAMS,
    )
