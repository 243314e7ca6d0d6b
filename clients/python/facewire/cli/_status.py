"""`facewire status`: what of a server is ready, and what it holds."""

import time

import typer

from facewire import (
    Client,
    ErrorReason,
    FacewireError,
    Gallery,
    Health,
    StreamLimits,
)
from facewire.cli._output import ERRORS, print_json, print_line, print_table
from facewire.cli._session import EXIT_UNAVAILABLE, Server, session

__all__ = ["run"]

_NO_STREAM = {
    ErrorReason.CONTRACT_MISMATCH,
    ErrorReason.TOO_MANY_STREAMS,
    ErrorReason.WORKER_BUSY,
}


def run(server: Server, *, as_json: bool) -> None:
    """Prints health, terms, model and galleries, as far as the server tells them.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        client.health()  # connects, so that what is timed is the way and back
        started_s = time.perf_counter()
        health = client.health()
        latency_ms = (time.perf_counter() - started_s) / 3 * 1000
        _print_health(server, health, latency_ms, as_json=as_json)
        limits = _limits(client, as_json=as_json) if health.recognition else None
        if health.galleries:
            _print_galleries(list(client.galleries()), limits, as_json=as_json)
    if not health.ready:
        ERRORS.print(
            "facewire: not all is ready. A start takes some seconds; the server's log says more."
        )
        raise typer.Exit(EXIT_UNAVAILABLE)


def _print_health(server: Server, health: Health, latency_ms: float, *, as_json: bool) -> None:
    if as_json:
        print_json(server=server.target, latency_ms=round(latency_ms, 3), health=health)
        return
    print_line(f"server       {server.target}, answers in {latency_ms:.1f} ms")
    for name, ready in (
        ("process", health.server),
        ("recognition", health.recognition),
        ("galleries", health.galleries),
    ):
        print_line(f"{name:12} {'ready' if ready else 'NOT READY'}")


def _limits(client: Client, *, as_json: bool) -> StreamLimits | None:
    """A stream's terms, printed; None where no stream can be had, which is no reason to end."""
    try:
        with client.stream([]) as stream:
            limits = stream.limits
    except FacewireError as error:
        if error.reason not in _NO_STREAM:
            raise
        if as_json:
            print_json(limits=None, error={"reason": error.reason, "detail": error.detail})
        else:
            print_line(f"model        not told: {error.detail}")
        return None
    _print_limits(limits, as_json=as_json)
    return limits


def _print_limits(limits: StreamLimits, *, as_json: bool) -> None:
    if as_json:
        print_json(limits=limits)
        return
    print_line(f"model        {limits.model_contract_id}")
    print_line(
        f"a stream     {limits.max_in_flight} frames in flight, each at most "
        f"{limits.max_frame_bytes / 2**20:.0f} MiB and {limits.max_pixels / 1e6:.0f} megapixels"
    )


def _print_galleries(
    galleries: list[Gallery], limits: StreamLimits | None, *, as_json: bool
) -> None:
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
            str(each.pending_purge_count),
            _model(each, limits),
        )
        for each in galleries
    ]
    columns = ["gallery", " people", " templates", " revision", " to be erased", "model"]
    print_table("Galleries", columns, rows)


def _model(gallery: Gallery, limits: StreamLimits | None) -> str:
    if limits is None:
        return gallery.model_contract_id
    same = gallery.model_contract_id == limits.model_contract_id
    return "the server's" if same else f"another: {gallery.model_contract_id} (enroll anew)"
