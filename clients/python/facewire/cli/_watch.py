"""`facewire watch SOURCE`: shows who is seen, and when."""

import dataclasses
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer
from rich.progress import (
    BarColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from facewire import DecisionPolicy, DetectionOptions, FrameResult, TrackEvent
from facewire.cli._coarse import note_if_coarse
from facewire.cli._following import Following, Results
from facewire.cli._interrupts import raised_by_ctrl_c
from facewire.cli._log import log_on_stderr
from facewire.cli._opencv import video
from facewire.cli._output import (
    ERRORS,
    counted,
    print_json,
    print_line,
    print_table,
    progress,
    threshold_text,
    who,
)
from facewire.cli._session import (
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    EXIT_USAGE,
    Server,
    session,
    usage_error,
)
from facewire.cli._tally import Tally
from facewire.cli._visits import Visit, Visits, span, write_csv

if TYPE_CHECKING:
    from facewire.video import Camera, SourceError

__all__ = ["run"]

_DEFAULT_FRACTION = 1 / 16
"""Smallest face that the server looks for in a frame, by its shorter side: `DetectionOptions.min_face_px`."""


def run(
    server: Server,
    source: str,
    *,
    gallery: str,
    camera_name: str,
    every_frame: bool | None,
    rotation_degrees: int,
    annotate_to: Path | None,
    csv_to: Path | None,
    min_face_px: int,
    decision: DecisionPolicy,
    as_json: bool,
) -> None:
    """Streams a source and prints each visit once it is over, also when it is interrupted.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    tally = Tally()
    interrupted = threading.Event()
    broken: SourceError | None = None
    with session(server, interrupted) as client, log_on_stderr(), ExitStack() as opened:
        camera = opened.enter_context(_open(source, every_frame, rotation_degrees))
        film = None
        if annotate_to is not None:
            film = opened.enter_context(video().FilmWriter(annotate_to, camera.fps))
        # Opened before the work, so that a path that cannot be written is reported at once.
        table = opened.enter_context(_open_table(csv_to)) if csv_to is not None else None
        visits = Visits(of_film=not camera.live)
        following = Following(
            client, camera, film=film, gallery=gallery, camera_name=camera_name,
            detection=DetectionOptions(min_face_px=min_face_px), decision=decision,
            interrupted=interrupted,
        )  # fmt: skip
        try:
            results = following.results()
            if not as_json:
                results = _noted(results, source, min_face_px)
            _follow(results, visits, tally, total=camera.frame_count, as_json=as_json)
        except video().SourceError as error:  # after the results of all frames that there were
            broken = error
        finally:
            _show(visits.finish(), as_json=as_json)
            if table is not None:
                write_csv(table, visits.ended)
            _report(visits, tally, as_json=as_json)
    if interrupted.is_set() and not camera.live:
        raise typer.Exit(EXIT_INTERRUPTED)
    if broken:
        ERRORS.print(f"facewire: {broken}")
    if broken and broken.denied:
        raise typer.Exit(EXIT_USAGE)
    if broken or tally.failed_count:
        raise typer.Exit(EXIT_REFUSED)


def _open(source: str, every_frame: bool | None, rotation_degrees: int) -> "Camera":
    try:
        with raised_by_ctrl_c():
            camera: Camera = video().Camera(
                source, every_frame=every_frame, rotation_degrees=rotation_degrees
            )
    except OSError as error:
        raise usage_error(str(error)) from error
    return camera


def _open_table(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _follow(
    results: Results, visits: Visits, tally: Tally, *, total: int | None, as_json: bool
) -> None:
    """Adds all results, showing who is in view in a progress bar, and each visit that is over, or all as JSON."""
    columns = (
        "frame {task.completed:.0f}" + (f"/{total}" if total else ""),
        BarColumn(bar_width=20), TimeElapsedColumn(), "ETA", TimeRemainingColumn(),
        _Speed(), TextColumn("{task.description}", markup=False),
    )  # fmt: skip
    with progress(*columns, as_json=as_json) as bar:
        task = bar.add_task("", total=total)
        for result in results:
            tally.add(result)
            if as_json and isinstance(result, TrackEvent):
                print_json(event=result)
            elif as_json:
                print_json(result=result)
            _show(visits.add(result), as_json=as_json)
            bar.advance(task, result.frame_count)
            if isinstance(result, FrameResult):
                bar.update(task, description=", ".join(who(face).plain for face in result.faces))


def _noted(results: Results, source: str, min_face_px: int) -> Results:
    """Yields the results, and says once if frames are searched more coarsely than asked."""
    is_noted = False
    for result in results:
        if not is_noted and isinstance(result, FrameResult):
            is_noted = note_if_coarse(source, result, min_face_px, _DEFAULT_FRACTION)
        yield result


class _Speed(ProgressColumn):
    """Frames a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


def _show(visits: Iterable[Visit], *, as_json: bool) -> None:
    """Prints a line for each visit: from when to when, who, how similar."""
    for visit in visits:
        if as_json:
            print_json(visit=visit)
        else:
            similarity = f"  {visit.best_similarity:.3f}" if visit.identity_id else ""
            print_line(f"{span(visit)}  {visit.who}{similarity}")


def _report(visits: Visits, tally: Tally, *, as_json: bool) -> None:
    """Prints what was counted."""
    if as_json:
        print_json(summary={"visits": visits.ended, **dataclasses.asdict(tally)})
        return
    if not any(visit.identity_id for visit in visits.ended):
        ERRORS.print("No person was recognized.")
    if tally.ambiguous:
        between = [(each.label, str(each.face_count)) for each in tally.ambiguous.values()]
        print_table("Ambiguous", ["between whom", " faces"], between)
    if visits.undecided_count:
        undecided = counted(visits.undecided_count, "person", "people")
        ERRORS.print(f"{undecided} came and went before it could be decided who.")
    ERRORS.print(
        f"{counted(tally.frame_count, 'frame')} recognized, {tally.skipped_count} skipped, "
        f"{tally.failed_count} failed; {counted(tally.unrecognized_count, 'face')} without a name, "
        f"{tally.ambiguous_count} ambiguous."
    )
    if tally.threshold:
        in_force = threshold_text(tally.threshold, tally.threshold_source)
        ERRORS.print(f"Threshold at the end: {in_force}.")
