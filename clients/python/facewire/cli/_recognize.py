"""`facewire recognize PICTURE...`: recognizes the people in each picture."""

from collections.abc import Callable
from pathlib import Path

import typer
from rich.text import Text

from facewire import DecisionPolicy, DetectionOptions, Face, Image, InvalidPictureError, Recognition
from facewire.cli._coarse import PICTURE_FRACTION, note_if_coarse
from facewire.cli._interrupts import raised_by_ctrl_c
from facewire.cli._opencv import painting
from facewire.cli._output import (
    ERRORS,
    print_json,
    print_line,
    print_table,
    threshold_text,
    who,
)
from facewire.cli._session import EXIT_REFUSED, Server, session, text_of, usage_error

__all__ = ["run"]

_PAINTED_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp"}
"""Endings of names that a painted picture keeps; to any other `.jpg` is added, since it cannot be written as such."""

_COLUMNS = ["who", " similarity", " margin", " score", "box (x y w h)", " eyes px", " sharpness"]


def run(
    server: Server,
    pictures: list[Path],
    *,
    gallery: str,
    annotate_to: Path | None,
    min_face_px: int,
    decision: DecisionPolicy,
    as_json: bool,
) -> None:
    """Prints the faces of each picture, and paints them.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    detection = DetectionOptions(min_face_px=min_face_px)
    refused = False
    with session(server) as client:
        paint = _painter(pictures, annotate_to)
        for picture in pictures:
            try:
                with raised_by_ctrl_c():
                    image = Image.from_file(picture)
            except (OSError, ValueError) as error:
                refused = True
                _print_refusal(picture, "", _words(error), as_json=as_json)
                continue
            try:
                result = client.recognize(
                    image, gallery=gallery, detection=detection, decision=decision
                )
            except InvalidPictureError as error:
                refused = True
                _print_refusal(picture, error.reason.value, text_of(error), as_json=as_json)
            else:
                _print_result(picture, result, as_json=as_json)
                if not as_json:
                    note_if_coarse(str(picture), result, min_face_px, PICTURE_FRACTION)
                paint(picture, image, result)
    if refused:
        raise typer.Exit(EXIT_REFUSED)


def _painter(
    pictures: list[Path], annotate_to: Path | None
) -> Callable[[Path, Image, Recognition], None]:
    """Returns a function that paints a result: onto one file, or into a folder under the picture's name."""
    if annotate_to is None:
        return lambda picture, image, result: None
    paint_into = painting()
    into = annotate_to if len(pictures) > 1 else None
    if into is not None:
        if len({picture.name for picture in pictures}) < len(pictures):
            raise usage_error("pictures of one name cannot be painted into one folder")
        if into.exists() and not into.is_dir():
            raise usage_error(f"{into} is a file; several pictures are painted into a folder")
        into.mkdir(parents=True, exist_ok=True)

    def paint(picture: Path, image: Image, result: Recognition) -> None:
        is_kept = picture.suffix.lower() in _PAINTED_SUFFIXES
        name = picture.name if is_kept else f"{picture.name}.jpg"
        paint_into(picture, image, result.faces, into / name if into else annotate_to)

    return paint


def _print_result(picture: Path, result: Recognition, *, as_json: bool) -> None:
    if as_json:
        print_json(picture=str(picture), result=result)
        return
    size = f"{result.width_px}×{result.height_px}"
    facts = [size, f"{result.timings.total_us / 1000:.0f} ms"]
    decisions = [face.decision for face in result.faces]
    for decision in decisions[:1]:  # of one search, so all have the same threshold
        facts.append(f"threshold {threshold_text(decision.threshold, decision.threshold_source)}")
    title = f"{picture} ({', '.join(facts)})"
    if result.faces:
        print_table(title, _COLUMNS, [_row(face) for face in result.faces])
    else:
        print_line(f"{title}: no face")


def _words(error: OSError | ValueError) -> str:
    """Returns why a file cannot be read; ValueError is of HEIC files."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _print_refusal(picture: Path, reason: str, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(picture=str(picture), error={"reason": reason, "detail": text})
    else:
        ERRORS.print(f"facewire: {picture}: {text}")


def _row(face: Face) -> list[str | Text]:
    box = face.box
    decision = face.decision
    return [
        who(face),
        f"{decision.similarity:.3f}",
        f"{decision.margin:.3f}",
        f"{face.detection_score:.3f}",
        f"{box.x_px:.0f} {box.y_px:.0f} {box.width_px:.0f} {box.height_px:.0f}",
        f"{face.quality.inter_eye_px:.0f}",
        f"{face.quality.sharpness:.0f}",
    ]
