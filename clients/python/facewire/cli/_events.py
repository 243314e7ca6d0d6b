"""`facewire events`: who came and went in front of all cameras, as the server recorded it."""

import threading
from enum import StrEnum
from typing import Annotated

import typer

from facewire import FacewireError, TrackEvent, TrackState
from facewire.cli._output import ERRORS, print_json, print_line, words
from facewire.cli._session import EXIT_INTERRUPTED, session, text_of
from facewire.cli._shared_options import JsonOption

__all__ = ["events"]

_EVERY_KEPT = 1
"""`WatchTracksRequest.after_event` for all events that are kept."""

_HIGHEST_EVENT = 2**53 - 1
"""The contract's bound of `TrackEvent.event_id`."""


class _State(StrEnum):
    """The states that an event has: `TrackState` without UNSPECIFIED."""

    TENTATIVE = TrackState.TENTATIVE.value
    CONFIRMED = TrackState.CONFIRMED.value
    RETRACTED = TrackState.RETRACTED.value
    ENDED = TrackState.ENDED.value


def events(
    context: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens from now on.")
    ] = False,
    camera: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only of this camera; may be repeated.")
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(metavar="IDENTITY", help="Only about this person; may be repeated."),
    ] = None,
    state: Annotated[
        list[_State] | None,
        typer.Option(case_sensitive=False, help="Only of this state; may be repeated."),
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(metavar="EVENT", min=1, max=_HIGHEST_EVENT, help="Only after this event."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Lists who came and went in front of all cameras, as far as the server keeps it.

    With --follow it shows what happens from now on, or after the EVENT that is named, until Ctrl-C.
    """
    interrupted = threading.Event()

    def report(error: FacewireError, pause_s: float) -> None:
        if not interrupted.is_set():
            ERRORS.print(f"facewire: {text_of(error)} Trying again in {pause_s:.1f} s.")

    with session(context.obj, interrupted) as client:
        feed = client.watch_tracks(
            cameras=camera or (),
            identities=identity or (),
            states=[TrackState(each) for each in state or ()],
            after_event=after or (0 if follow else _EVERY_KEPT),
            kept_only=not follow,
            on_reopen=report,
        )
        noted = 0
        for event in feed:
            if feed.loss_count > noted:
                ERRORS.print("facewire: some events before this one are no longer kept.")
                noted = feed.loss_count
            if as_json:
                print_json(event=event)
            else:
                print_line(_line(event))
    if interrupted.is_set() and not follow:
        raise typer.Exit(EXIT_INTERRUPTED)


def _line(event: TrackEvent) -> str:
    at = event.server_time.astimezone()
    # Whoever was deleted, or was in no gallery, is not said to be taken back.
    before = event.previous_identity_id
    who = f"not {before}" if before else event.label
    return (
        f"{event.event_id}  {at:%Y-%m-%d %H:%M:%S}  {event.camera_id or '-'}  {words(event.state)}  {who}  "
        f"({words(event.reason)}, visit {event.visit_id})"
    )
