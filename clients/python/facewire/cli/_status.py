"""`facewire status`: a server's health, version, model, limits and galleries."""

import time

import typer

from facewire import Client, Gallery, Health, NotSupportedError, ServerInfo
from facewire.cli._output import (
    ERRORS,
    counted,
    print_json,
    print_line,
    print_table,
    threshold_text,
    words,
)
from facewire.cli._session import EXIT_UNAVAILABLE, Server, session

__all__ = ["run"]

_CHECKS_OF_HEALTH = 3
"""Calls that `Client.health` makes, one after the other: the time of one is a third."""


def run(server: Server, *, as_json: bool) -> None:
    """Prints health, model, limits and galleries, as far as the server has them.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        client.health()  # connects, so that what is timed is the way and back
        started_s = time.perf_counter()
        health = client.health()
        latency_ms = (time.perf_counter() - started_s) / _CHECKS_OF_HEALTH * 1000
        _print_health(server, health, latency_ms, as_json=as_json)
        info = _info(client, as_json=as_json)
        if health.galleries:
            _print_galleries(list(client.galleries()), info, as_json=as_json)
    if not health.ready:
        ERRORS.print(
            "facewire: not all is ready. A start takes some seconds; the server's log says more."
        )
        raise typer.Exit(EXIT_UNAVAILABLE)


def _print_health(server: Server, health: Health, latency_ms: float, *, as_json: bool) -> None:
    if as_json:
        print_json(server=server.target, latency_ms=round(latency_ms, 3), health=health)
        return
    print_line(f"server       {server.target}, responds in {latency_ms:.1f} ms")
    for name, ready in (
        ("process", health.server),
        ("recognition", health.recognition),
        ("galleries", health.galleries),
    ):
        print_line(f"{name:12} {'ready' if ready else 'NOT READY'}")


def _info(client: Client, *, as_json: bool) -> ServerInfo | None:
    """Prints and returns the server's info; returns None if the server is too old to report it."""
    try:
        info = client.server_info()
    except NotSupportedError as error:
        if as_json:
            print_json(info=None, error={"reason": error.reason, "detail": error.detail})
        else:
            print_line("model        unknown: the server is older than this command")
        return None
    if as_json:
        print_json(info=info)
    else:
        _print_info(info)
    return info


def _print_info(info: ServerInfo) -> None:
    limits = info.limits
    print_line(f"version      {info.server_version}")
    print_line(f"model        {info.model_contract_name} {info.model_contract_id}")
    print_line(
        f"pictures     at most {limits.max_frame_bytes / 2**20:.4g} MiB, "
        f"{limits.max_pixels / 1e6:.4g} megapixels, {counted(limits.max_faces, 'face')}"
    )
    print_line(
        f"streams      at most {limits.max_streams}, each with {counted(limits.max_in_flight, 'frame')} in flight"
    )
    print_line(f"threshold    {_threshold(info)}")
    absent = ", ".join(words(feature) for feature in info.absent_features)
    print_line(f"features     {', '.join(map(words, info.features)) or 'none'}; without: {absent}")


def _threshold(info: ServerInfo) -> str:
    if info.decision_defaults.threshold is not None:
        return f"{info.decision_defaults.threshold:.3f}, set by the operator"
    if info.decision_defaults.max_fpir is not None:
        about = (
            f"{step.threshold:.3f} among {step.identity_count:,}" for step in info.threshold_steps
        )
        return (
            f"of each gallery by its people: {info.decision_defaults.max_fpir:.2%} of strangers may get a name "
            f"({', '.join(about)})"
        )
    steps = (f"{step.threshold:.3f} ({step.identity_count:,})" for step in info.threshold_steps)
    return f"by the number of people in a gallery: {', '.join(steps)}"


def _print_galleries(galleries: list[Gallery], info: ServerInfo | None, *, as_json: bool) -> None:
    if as_json:
        for gallery in galleries:
            print_json(gallery=gallery)
        return
    rows = [
        (
            each.gallery_id,
            str(each.identity_count),
            str(each.template_count),
            str(each.revision),
            threshold_text(each.threshold, each.threshold_source),
            _model(each, info),
        )
        for each in galleries
    ]
    columns = ["gallery", " people", " templates", " revision", "threshold", "model"]
    print_table("Galleries", columns, rows)


def _model(gallery: Gallery, info: ServerInfo | None) -> str:
    if info is None:
        return gallery.model_contract_id
    same = gallery.model_contract_id == info.model_contract_id
    return "the server's" if same else f"another: {gallery.model_contract_id} (enroll again)"
