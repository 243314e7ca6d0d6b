"""Collects what is in force when a server starts, for its first log entry."""

import re
from collections.abc import Iterable
from importlib.metadata import version

from facewire_server.app.capacity import processors_of
from facewire_server.app.values import error_rates
from facewire_server.configuration.settings import Settings
from facewire_server.events import ServerStarted
from facewire_server.galleries.records import StoreStatistics
from facewire_server.host.processors import Processors
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.opened import EMBEDDED, MISSING, ModelStatistics
from facewire_server.thresholds import UNCALIBRATED

__all__ = ["server_started"]


def server_started(
    settings: Settings,
    contract: ModelContract,
    models: Iterable[ModelStatistics],
    usable: Processors,
    galleries: StoreStatistics,
    *,
    galleries_are_new: bool,
    pictures_at_once: int,
    max_calls: int,
    max_connections: int,
) -> ServerStarted:
    """Returns the event.

    Args:
        settings: in force.
        contract: the model contract.
        models: each servable, and where it runs.
        usable: processors, by what limits them.
        galleries: as they were opened.
        galleries_are_new: the storage was made by this start.
        pictures_at_once, max_calls, max_connections: in force; the settings alone do not determine them.
    """
    in_force = {variable: _hidden(value) for variable, value, _ in settings.described()}
    defaults = {variable: value for variable, value, _ in Settings().described()}
    return ServerStarted(
        version=version("facewire-server"),
        data={
            # Resolved: a server that was started from another folder has another `data`.
            "folder": str(settings.data.resolve()),
            "is_new": galleries_are_new,
            "people": sum(each.identity_count for each in galleries.galleries),
        },
        model_contract=settings.model_contract,
        model_contract_id=contract.id,
        engines={model.name: _hidden(_engine(settings, model.runs_at)) for model in models},
        processors=processors_of(settings, usable.count),
        processors_reason=_reason(settings, usable),
        threshold=_threshold(settings, contract),
        limits={
            "max_calls": max_calls,
            "max_streams": settings.max_streams,
            "max_calls_per_connection": settings.max_calls_per_connection,
            "max_connections": max_connections,
            "max_in_flight": settings.max_in_flight,
            "pictures_at_once": pictures_at_once,
            "max_frame_bytes": settings.max_frame_bytes,
            "max_pixels": settings.max_pixels,
            "max_stream_pixels": min(settings.max_stream_pixels, settings.max_pixels),
            "max_held_bytes": settings.max_held_bytes,
            "max_faces": settings.max_faces,
            "frame_timeout_s": settings.frame_timeout_s,
            "request_timeout_s": settings.request_timeout_s,
            "stream_idle_timeout_s": settings.stream_idle_timeout_s,
            "slow_reader_timeout_s": settings.slow_reader_timeout_s,
            "gallery_max_bytes": settings.gallery_max_bytes,
            "events_keep_hours": settings.events_keep_hours,
            "events_keep_count": settings.events_keep_count,
            "keep_unknown_hours": settings.keep_unknown_hours,
        },
        settings=in_force,
        changed_settings=tuple(name for name in in_force if in_force[name] != defaults[name]),
    )


def _hidden(value: str) -> str:
    """Returns the value without the user and password of a URL; other secrets are files."""
    return re.sub(r"//[^/\s]*@", "//...@", value)


def _reason(settings: Settings, usable: Processors) -> str:
    quota = "none" if usable.quota is None else f"{usable.quota:g}"
    reason = "set" if settings.threads else f"affinity {usable.affinity}, quota {quota}"
    return reason + (f", {settings.workers} workers" if settings.workers > 1 else "")


def _threshold(settings: Settings, contract: ModelContract) -> str:
    if settings.threshold:
        return f"{settings.threshold:g}, set"
    wanted = error_rates(settings, contract)
    if wanted is None:
        return f"{UNCALIBRATED:g} for every gallery, since the model contract has no calibration"
    few, many = (wanted.threshold_among(count).value for count in (10, 10_000))
    return (
        f"of each gallery by its people, for a max_fpir of {wanted.max_fpir:.2g}: "
        f"about {few:.3f} among 10, {many:.3f} among 10000"
    )


def _engine(settings: Settings, runs_at: str) -> str:
    if runs_at == MISSING:
        return "not in the SavedModel"
    if runs_at == EMBEDDED:
        return "OpenVINO in this process"
    how = "" if settings.models_tls_ca is None else " over TLS"
    return f"TensorFlow Serving at {runs_at}{how}"
