"""The life of a server process: everything is opened, served, drained and closed, in this order."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from typing import Final

import cv2

from facewire_server.access.audit_log import AuditLog
from facewire_server.access.audit_trail import AuditTrail, Trail
from facewire_server.app.audit_begin import note_galleries
from facewire_server.app.capacity import (
    gallery_read_threads,
    line_threads,
    max_calls,
    max_connections,
    processors_of,
    work,
)
from facewire_server.app.erasing import Erasing
from facewire_server.app.joining import build_info, join, open_telemetry
from facewire_server.app.journal import opened_journal
from facewire_server.app.membership import Membership
from facewire_server.app.reloads import Reloads
from facewire_server.app.service_health import ServiceHealth
from facewire_server.app.started import server_started
from facewire_server.app.unknown import opened_unknown
from facewire_server.app.values import (
    crop_keys,
    model_addresses,
    usable_model_contract,
)
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, damaged_galleries
from facewire_server.configuration.credentials import read_file, reload_on
from facewire_server.configuration.settings import Settings
from facewire_server.events import Emit, FileExposed, StopForced, Stopped, broadcast
from facewire_server.host.ending import Ending
from facewire_server.host.file_modes import readable_by_others
from facewire_server.host.memory import return_freed_memory
from facewire_server.host.open_files import raise_open_files
from facewire_server.host.processors import usable_processors
from facewire_server.host.signals import Signals, handle_signals
from facewire_server.logs import logging_to_stderr
from facewire_server.models import Models, open_models
from facewire_server.proof.model_contract import ModelContract
from facewire_server.rpc.server import Server
from facewire_server.streams.loads import Alone, Loads
from facewire_server.telemetry.opened import Telemetry
from facewire_server.telemetry.state import Sources
from facewire_server.work.failures import emit_failures
from facewire_server.work.loop_lag import measure_loop_lag
from facewire_server.work.threads import run_within

__all__ = ["serve"]

_OPEN_S: Final = 30.0
"""Seconds to open the gallery: it waits while another process writes. Chosen, not measured."""

_CHECK_S: Final = 3600.0
"""Seconds to read the gallery once before it is opened. Chosen, not measured: 100,000
templates take less than one."""

_STOP_S: Final = 10.0
"""Seconds beyond `lame_duck_s` and `drain_s` after which a process that was asked to stop ends, whatever its threads do. Chosen, not
measured: a server on two busy processors closes everything in less than one, and in up to 4.2 where 15 busy processes share them (12
stops). A write takes at most 1 s more, and the last traces 3."""


async def serve(settings: Settings, membership: Membership | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then leaves and drains; SIGHUP reloads token and certificate.

    When it takes calls it prints one line to standard output: "facewire.v1 on HOST:PORT".

    Args:
        settings: of the server.
        membership: of this process, if it is one of several workers: it prints nothing then, and its parent stops it.

    Raises:
        SettingsError: a file that a setting names cannot be used.
        ModelUnavailable: a model is missing, or not the contract's.
        OSError: the gallery's folder or the address cannot be used.
    """
    worker = None if membership is None else os.getpid()
    with logging_to_stderr(settings.log_format, worker) as log:
        telemetry = open_telemetry(settings, is_worker=membership is not None)
        ending = Ending(lambda threads: log(StopForced(threads)))
        emit = broadcast(log, *telemetry.listeners)
        await _serve(settings, emit, telemetry, ending, membership)


async def _serve(
    settings: Settings,
    emit: Emit,
    telemetry: Telemetry,
    ending: Ending,
    membership: Membership | None,
) -> None:
    emit_failures(emit)
    signals = handle_signals(is_worker=membership is not None)
    if membership is not None:
        membership.obey(signals, telemetry.text)
    # From here on, so that a server that hangs while it starts can be stopped, too.
    stopping = asyncio.create_task(_end_in_time(signals, ending, settings))
    loads: Loads = Alone() if membership is None else membership.loads
    async with _server(settings, loads, emit, telemetry) as (
        server,
        models,
        gallery,
        trail,
        erasing,
    ):
        reloads = Reloads(server, trail, emit)
        reloading = asyncio.create_task(
            reload_on(signals.reload, settings, reloads.replace, reloads.keep, emit)
        )
        measuring = asyncio.create_task(measure_loop_lag(emit))
        trimming = asyncio.create_task(return_freed_memory())
        watching: list[asyncio.Task[None]] = []
        try:
            port = await server.start()
            health = ServiceHealth(
                server.health,
                models_ready=not models.served,
                workers=None if membership is None else membership.health,
            )
            watching = [
                asyncio.create_task(health.watch(gallery, emit)),
                asyncio.create_task(erasing.in_time(settings.erase_within_s)),
            ]
            if models.served:
                watch = models.watch(health.set_models_ready, emit)
                watching.append(asyncio.create_task(watch))
            if membership is not None:
                watching.append(asyncio.create_task(server.streams.keep_balance()))
            for one in watching:  # it ends by a failure only
                one.add_done_callback(lambda _: signals.stop_at_once())
            if membership is None:
                host = settings.listen.rpartition(":")[0]
                print(f"facewire.v1 on {host}:{port}", flush=True)
            else:
                membership.serves()
            await signals.stop.wait()
            await server.leave(settings.lame_duck_s, signals.at_once)
        finally:
            reloading.cancel()
            measuring.cancel()
            trimming.cancel()
            await server.drain(settings.drain_s)
            ending.within(settings.drain_s + _STOP_S)  # also if it stops since it failed
            for one in watching:
                if not one.cancel():
                    await one  # raises its failure
        if membership is not None:
            await asyncio.to_thread(membership.leaves)
    stopping.cancel()
    emit(Stopped())


async def _end_in_time(signals: Signals, ending: Ending, settings: Settings) -> None:
    await signals.stop.wait()
    ending.within(settings.lame_duck_s + settings.drain_s + _STOP_S)
    await signals.at_once.wait()
    ending.within(settings.drain_s + _STOP_S)


@asynccontextmanager
async def _server(
    settings: Settings, loads: Loads, emit: Emit, telemetry: Telemetry
) -> AsyncIterator[tuple[Server, Models, LmdbGallery, Trail, Erasing]]:
    """Opens everything. The metrics, if asked for, are served from here on; gRPC does not listen yet.

    Embedded models are verified; served ones may be unreachable.
    """
    contract = usable_model_contract(settings, settings.model_contract)
    usable = usable_processors()
    processors = processors_of(settings, usable.count)
    cv2.setNumThreads(1)  # pictures are worked on concurrently; each takes one processor
    # The client receives the reason why a picture cannot be decoded; OpenCV's own lines about it add nothing.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    async with (
        open_models(
            contract,
            folder=settings.models,
            threads=processors,
            addresses=model_addresses(settings, contract),
            tls_ca=read_file(settings.models_tls_ca),
            embed_frames=settings.embed_frames,
            detector=settings.detector,
            presentation_attacks=settings.presentation_attacks,
        ) as models,
        AsyncExitStack() as opened,
    ):
        gallery = opened.enter_context(
            closing(await _opened_gallery(settings, contract, processors))
        )
        journal = await opened.enter_async_context(opened_journal(settings, gallery, emit))
        unknown = await opened.enter_async_context(
            opened_unknown(settings, contract, gallery, emit)
        )
        threads = opened.enter_context(
            ThreadPoolExecutor(line_threads(processors), thread_name_prefix="line")
        )
        auditing = opened.enter_context(ThreadPoolExecutor(1, thread_name_prefix="audit"))
        log = AuditLog(settings.data / "audit")
        trail = AuditTrail(log.append, auditing)
        if log.is_empty:
            await note_galleries(trail, await gallery.statistics(), emit)
        erasing = Erasing(gallery, settings.data, log.append, emit)
        shared = work(settings, processors, is_served=bool(models.served))
        server = join(
            settings,
            contract,
            models,
            gallery,
            journal,
            unknown,
            shared,
            threads,
            trail,
            erasing,
            loads,
            emit,
            telemetry.interceptors,
        )
        emit(
            server_started(
                settings,
                contract,
                models.statistics(),
                usable,
                await gallery.statistics(),
                galleries_are_new=gallery.is_new,
                pictures_at_once=shared.slots.statistics().count,
                max_calls=max_calls(settings),
                max_connections=max_connections(settings, raise_open_files()),
            )
        )
        secrets = (settings.token_file, settings.tls_key, settings.enrollment_crop_key_file)
        storages = [settings.data / name for name in ("gallery", "journal", "unknown", "audit")]
        files = [file for storage in storages for file in storage.glob("data*.mdb")]
        for path, mode in readable_by_others((*secrets, *storages, *files)):
            emit(FileExposed(path, mode))
        sources = Sources(
            shared.slots.statistics,
            lambda: {
                "stream": shared.frame_bytes.statistics(),
                "call": shared.call_bytes.statistics(),
            },
            lambda: shared.left_behind.count,
            server.streams.statistics,
            models.statistics,
            gallery.statistics,
            journal.statistics,
        )
        async with telemetry.serving(sources, build_info(contract, models), emit):
            yield server, models, gallery, trail, erasing


async def _opened_gallery(
    settings: Settings, contract: ModelContract, processors: int
) -> LmdbGallery:
    """Opens the galleries.

    Raises:
        SettingsError: the file of the crops' keys cannot be used.
        StorageDamaged: the storage's file is empty, cut short or overwritten.
        OSError: the folder cannot be used, the keys are not those of the kept crops, or another process does not let it be opened.
    """
    folder = settings.data / "gallery"
    opening = partial(
        LmdbGallery,
        folder,
        vector_search=ExactSearch(),
        model_contract_id=contract.id,
        dimension=contract.dimension,
        max_bytes=settings.gallery_max_bytes,
        read_threads=gallery_read_threads(processors),
        crop_keys=crop_keys(settings),
        keep_crops=settings.keep_enrollment_crops,
        damaged_galleries=await run_within(partial(damaged_galleries, folder), _CHECK_S),
    )
    try:
        return await run_within(opening, _OPEN_S)
    except TimeoutError as error:
        raise OSError(
            f"another process has held the write lock of the gallery in {settings.data} for {_OPEN_S:g} s: "
            "end that process, then start again"
        ) from error
