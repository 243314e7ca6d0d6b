"""`facewire explain PICTURE`: why each face of a picture was decided so."""

from pathlib import Path
from typing import Annotated

import typer

from facewire import DetectionOptions, ErrorReason, Recognition
from facewire.cli._advice import BY_REASON
from facewire.cli._coarse import PICTURE_FRACTION, note_if_coarse
from facewire.cli._grounds import Grounds, grounds_of, threshold_lines
from facewire.cli._opencv import painting
from facewire.cli._output import counted, print_json, print_line
from facewire.cli._pictures import read_picture
from facewire.cli._reasons import reason_lines, short_reason
from facewire.cli._session import session
from facewire.cli._shared_options import (
    AlarmsOption,
    GalleryOption,
    JsonOption,
    MaxFpirOption,
    MinFaceOption,
    StrangersOption,
    ThresholdOption,
    decision_policy,
)

__all__ = ["explain"]

_CANDIDATES = 5
"""The nearest people that are listed for each face. Chosen, not measured."""


def explain(
    context: typer.Context,
    picture: Annotated[Path, typer.Argument(metavar="PICTURE")],
    gallery: GalleryOption = "default",
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Paint the faces into this file, each with the reason and a bar: the similarity, and a line at the threshold.",
        ),
    ] = None,
    min_face_px: MinFaceOption = None,
    threshold: ThresholdOption = None,
    max_fpir: MaxFpirOption = None,
    false_alarms_a_month: AlarmsOption = None,
    strangers_a_day: StrangersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explains why each face in PICTURE has a name, or has none.

    It prints the similarity, the threshold and what it follows from, the people who came
    next, and of a face that is too poor what is wrong with it and what to do.
    """
    decision = decision_policy(threshold, max_fpir, false_alarms_a_month, strangers_a_day)
    with session(context.obj) as client:
        paint = painting() if draw else None
        image = read_picture(picture)
        result = client.recognize(
            image,
            gallery=gallery,
            detection=DetectionOptions(min_face_px=min_face_px or 0),
            decision=decision,
            max_candidates=_CANDIDATES,
            explain=True,
        )
        decisions = [face.decision for face in result.faces]
        grounds = grounds_of(gallery, decisions, is_rate_of_request=decision.max_fpir is not None)
        _print(picture, result, grounds, as_json=as_json)
        if not as_json:
            note_if_coarse(str(picture), result, min_face_px or 0, PICTURE_FRACTION)
        if draw and paint:
            reasons = [short_reason(face, grounds) for face in result.faces]
            paint(picture, image, result.faces, draw, reasons)


def _print(picture: Path, result: Recognition, grounds: Grounds, *, as_json: bool) -> None:
    threshold = threshold_lines(result.faces[0].decision, grounds) if result.faces else []
    reasons = [reason_lines(face, grounds) for face in result.faces]
    if as_json:
        print_json(
            picture=str(picture),
            result=result,
            threshold=threshold,
            reasons=reasons,
        )
        return
    size = f"{result.width_px}×{result.height_px}"
    print_line(
        f"{picture} ({size}): {counted(len(result.faces), 'face') if reasons else 'no face'}"
    )
    if not reasons:
        print_line(BY_REASON[ErrorReason.NO_FACE])
    for line in threshold:  # of one search, so all faces have the same threshold
        print_line(line)
    for number, (face, (found, *because)) in enumerate(
        zip(result.faces, reasons, strict=True), start=1
    ):
        box = face.box
        place = f"{box.x_px:.0f} {box.y_px:.0f} {box.width_px:.0f} {box.height_px:.0f}"
        print_line("")
        print_line(f"face {number} (box {place}): {found}")
        for line in because:
            print_line(f"  {line}")
