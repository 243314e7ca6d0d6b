"""The life of a server process: everything is opened, served, drained and closed, in this order."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Final

import cv2

from facewire_server.app.joining import build_info, join, open_telemetry
from facewire_server.app.started import server_started
from facewire_server.app.values import (
    gallery_read_threads,
    line_threads,
    max_calls,
    model_addresses,
    pictures_at_once,
    read_model_contract,
)
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.configuration.credentials import read_file, reload_on
from facewire_server.configuration.settings import Settings
from facewire_server.events import Emit, Stopped, broadcast
from facewire_server.host.processors import usable_processors
from facewire_server.host.signals import handle_signals
from facewire_server.logs import logging_to_stderr
from facewire_server.models import Models, open_models
from facewire_server.rpc.health import HEALTH_NAMES
from facewire_server.rpc.server import Server
from facewire_server.telemetry.opened import Telemetry
from facewire_server.telemetry.state import Sources
from facewire_server.work.failures import emit_failures
from facewire_server.work.loop_lag import measure_loop_lag
from facewire_server.work.slots import WorkSlots

__all__ = ["serve"]

_RECOGNITION: Final = "facewire.v1.RecognitionService"
"""The service whose health depends on the models; the gallery's calls need none."""


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains; SIGHUP reloads token and certificate.

    When it takes calls it prints one line to standard output: "facewire.v1 on HOST:PORT".

    Raises:
        SettingsError: a file that a setting names cannot be used.
        ModelUnavailable: a model is missing, or not the contract's.
        OSError: the gallery's folder or the address cannot be used.
    """
    with logging_to_stderr(settings.log_format) as log:
        telemetry = open_telemetry(settings)
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
                await watching  # raises its failure
    emit(Stopped())


@asynccontextmanager
async def _server(
    settings: Settings, emit: Emit, telemetry: Telemetry
) -> AsyncIterator[tuple[Server, Models]]:
    """Opens everything. The metrics, if asked for, are served from here on; gRPC does not listen yet.

    Embedded models are verified; served ones may be unreachable.
    """
    contract = read_model_contract(settings.model_contract)
    usable = usable_processors()
    processors = settings.threads or usable.count
    cv2.setNumThreads(1)  # pictures are worked on concurrently; each takes one processor
    async with open_models(
        contract,
        folder=settings.models,
        threads=processors,
        addresses=model_addresses(settings, contract),
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
                    read_threads=gallery_read_threads(processors),
                )
            ) as gallery,
            ThreadPoolExecutor(line_threads(processors), thread_name_prefix="line") as threads,
        ):
            at_once = pictures_at_once(settings, processors, is_served=bool(models.served))
            slots = WorkSlots(at_once, picture_timeout_s=settings.frame_timeout_s)
            server = join(
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
                    pictures_at_once=at_once,
                    max_calls=max_calls(settings),
                )
            )
            sources = Sources(
                slots.statistics, server.streams.statistics, models.statistics, gallery.statistics
            )
            async with telemetry.serving(sources, build_info(contract, models), emit):
                yield server, models
