"""`facewire watch SOURCE`: who is seen when."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

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

from facewire import DetectionOptions, FramePolicy, FrameResult, FramesSkipped
from facewire.cli._output import ERRORS, print_json, print_table, progress, who
from facewire.cli._session import EXIT_INTERRUPTED, EXIT_REFUSED, Server, session, usage_error
from facewire.cli._sightings import Sightings, clock

if TYPE_CHECKING:
    from facewire.cli._video import Video

__all__ = ["run"]


def run(
    server: Server,
    source: str,
    *,
    gallery: str,
    camera: str,
    every_frame: bool | None,
    min_face_px: int,
    as_json: bool,
) -> None:
    """Streams a source and prints who was seen when, also when it is interrupted.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    sightings = Sightings()
    interrupted = False
    with session(server) as client, _open(source) as video:
        every = not video.live if every_frame is None else every_frame
        stream = client.stream(
            video.every_frame() if every else video.newest_frames(),
            camera=camera,
            gallery=gallery,
            policy=FramePolicy.EVERY_FRAME if every else FramePolicy.NEWEST_WINS,
            detection=DetectionOptions(min_face_px=min_face_px),
        )
        try:
            _follow(stream, sightings, total=video.frame_count, as_json=as_json)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            _report(sightings, as_json=as_json)
    if interrupted and not video.live:
        raise typer.Exit(EXIT_INTERRUPTED)
    if sightings.failed_count:
        raise typer.Exit(EXIT_REFUSED)


def _open(source: str) -> "Video":
    """Opens the source, or says why not."""
    try:
        from facewire.cli._video import Video
    except ModuleNotFoundError as error:
        if error.name != "cv2":
            raise
        raise usage_error("watching needs OpenCV: pip install 'facewire[video]'") from error
    try:
        return Video(source)
    except ValueError as error:
        raise usage_error(
            f"cannot open {source!r}: it is no video file, camera number or address "
            "that OpenCV can read."
        ) from error


def _follow(
    results: Iterable[FrameResult | FramesSkipped],
    sightings: Sightings,
    *,
    total: int | None,
    as_json: bool,
) -> None:
    """Takes in all results, showing the newest on one line, or each as JSON."""
    columns = (
        "frame {task.completed:.0f}" + (f"/{total}" if total else ""),
        BarColumn(bar_width=20), TimeElapsedColumn(), "ETA", TimeRemainingColumn(),
        _Speed(), TextColumn("{task.description}", markup=False),
    )  # fmt: skip
    with progress(*columns) as line:
        task = line.add_task("", total=total)
        for result in results:
            sightings.add(result)
            if as_json:
                print_json(result=result)
            if isinstance(result, FrameResult):
                names = ", ".join(who(face).plain for face in result.faces)
                line.update(task, completed=result.sequence, description=names)


class _Speed(ProgressColumn):
    """Frames a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


def _report(sightings: Sightings, *, as_json: bool) -> None:
    """Prints who was seen when."""
    if as_json:
        print_json(summary=sightings)
        return
    rows = [
        (
            person.display_name,
            str(person.frame_count),
            f"{person.best_similarity:.3f}",
            ", ".join(f"{clock(first)}–{clock(last)}" for first, last in person.stretches_s),
        )
        for person in sightings.people.values()
    ]
    if rows:
        columns = ["who", " frames", " best similarity", "when (min:s)"]
        print_table("Seen", columns, rows)
    else:
        ERRORS.print("Nobody was recognised.")
    ERRORS.print(
        f"{sightings.frame_count} frames looked at, {sightings.skipped_count} passed over, "
        f"{sightings.failed_count} failed; {sightings.unrecognised_count} faces without a name."
    )
