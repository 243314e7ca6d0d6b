"""Options of several commands."""

from enum import StrEnum
from typing import Annotated

import typer

from facewire import DecisionPolicy

__all__ = [
    "AlarmsOption",
    "GalleryOption",
    "JsonOption",
    "MaxFmrOption",
    "MaxFpirOption",
    "MinFaceOption",
    "PairThresholdOption",
    "Rotation",
    "StrangersOption",
    "ThresholdOption",
    "decision_policy",
    "pair_policy",
]

GalleryOption = Annotated[
    str, typer.Option("--gallery", "-g", help="The gallery to search, or to add to.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
MinFaceOption = Annotated[
    int | None,
    typer.Option(
        "--min-face-px",
        min=8,
        max=65535,
        help="Smallest face to find, pixels. Smaller is slower.",
        show_default="a part of the picture's shorter side",
    ),
]


ThresholdOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Lowest similarity of a match, which holds exactly.",
        show_default="the gallery's",
    ),
]
MaxFpirOption = Annotated[
    float | None,
    typer.Option(
        "--max-fpir",
        min=1e-9,
        max=0.5,
        help="Share of looks at people who are not enrolled that may give a name, in place of a threshold.",
        show_default="the server's",
    ),
]
PairThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        max=1.0,
        help="Lowest similarity of the same person, which holds exactly.",
        show_default="as --max-fmr says",
    ),
]
MaxFmrOption = Annotated[
    float | None,
    typer.Option(
        "--max-fmr",
        metavar="RATE",
        min=1e-9,
        max=0.5,
        help="Share of comparisons of two different people that may match, in place of a threshold.",
        show_default="the server's",
    ),
]
AlarmsOption = Annotated[
    float | None,
    typer.Option(
        "--false-alarms-a-month",
        metavar="X",
        help="False names a month that are allowed, in place of --max-fpir; with --strangers-a-day.",
    ),
]
StrangersOption = Annotated[
    float | None,
    typer.Option(
        "--strangers-a-day", metavar="Y", help="Visits a day of people who are not enrolled."
    ),
]


def decision_policy(
    threshold: float | None,
    max_fpir: float | None,
    false_alarms_a_month: float | None,
    strangers_a_day: float | None,
) -> DecisionPolicy:
    """Returns the policy that the options of these names ask for.

    Raises:
        typer.BadParameter: they contradict each other, or one of a pair is missing.
    """
    by_alarms = (false_alarms_a_month, strangers_a_day) != (None, None)
    if sum([threshold is not None, max_fpir is not None, by_alarms]) > 1:
        raise typer.BadParameter(
            "give one of --threshold, --max-fpir and --false-alarms-a-month: a threshold holds exactly, whatever error rate follows"
        )
    if not by_alarms:
        return DecisionPolicy(threshold=threshold, max_fpir=max_fpir)
    try:
        return DecisionPolicy.of_alarms(false_alarms_a_month or 0.0, strangers_a_day or 0.0)
    except ValueError as error:
        raise typer.BadParameter(
            "--false-alarms-a-month and --strangers-a-day belong together, and must be positive"
        ) from error


def pair_policy(threshold: float | None, max_fmr: float | None) -> DecisionPolicy:
    """Returns the policy of a comparison of two pictures that the options of these names ask for.

    Raises:
        typer.BadParameter: both are set.
    """
    if threshold is not None and max_fmr is not None:
        raise typer.BadParameter(
            "give one of --threshold and --max-fmr: a threshold holds exactly, whatever error rate follows"
        )
    return DecisionPolicy(threshold=threshold, max_fpir=max_fmr)


class Rotation(StrEnum):
    """The turns that a server can make. Text, since typer 0.15 compares a default with the choices as texts."""

    NONE = "0"
    RIGHT = "90"
    OVER = "180"
    LEFT = "270"
