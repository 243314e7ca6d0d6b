"""The outcomes of the pictures of a folder, and the report of them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facewire import QualityFault
from facewire.cli._folder import People
from facewire.cli._output import ERRORS, print_json, print_table, words

__all__ = ["PictureOutcome", "report"]

_LISTED_FILES = 20
"""Ignored files that are listed on a screen. Chosen, not measured; --json has them all."""


@dataclass(frozen=True, slots=True)
class PictureOutcome:
    """The outcome of one picture.

    Attributes:
        picture: the file.
        identity_id: the person it shows.
        status: "present": it was enrolled before.
        template_id: what was made of it.
        reason: why it was refused, for programs; "" if the file itself cannot be read.
        faults: of a face that was refused as TOO_POOR: what is wrong with it.
        detail: why it was refused and what to do, for people.
    """

    picture: Path
    identity_id: str
    status: Literal["enrolled", "present", "refused"]
    template_id: str = ""
    reason: str = ""
    faults: tuple[QualityFault, ...] = ()
    detail: str = ""


def report(found: People, outcomes: list[PictureOutcome], gallery: str, *, as_json: bool) -> None:
    """Prints counts, what was refused and why, what was ignored, and who has no picture.

    Args:
        found: the folder.
        outcomes: of its pictures; fewer than it has if the run was interrupted.
        gallery: the gallery.
        as_json: prints a summary instead, as one object.
    """
    counts = Counter(outcome.status for outcome in outcomes)
    left = found.picture_count - len(outcomes)
    without = _without_usable_picture(found, outcomes)
    if as_json:
        print_json(
            summary={
                "gallery": gallery,
                "enrolled": counts["enrolled"],
                "present": counts["present"],
                "refused": counts["refused"],
                "left": left,
                "ignored": len(found.ignored),
                "ignored_files": [str(path) for path in found.ignored],
                "people_without_picture": without,
            }
        )
        return
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    if refused:
        rows = [(str(outcome.picture), _why(outcome), outcome.detail) for outcome in refused]
        print_table("Refused", ["picture", "reason", "what happened"], rows)
    ERRORS.print(
        f"{counts['enrolled']} enrolled, {counts['present']} there already, "
        f"{counts['refused']} refused: {len(found.people)} people, gallery {gallery!r}."
    )
    if found.ignored:
        more = len(found.ignored) - _LISTED_FILES
        ERRORS.print(f"Ignored, no pictures by their names: {len(found.ignored)}.")
        for path in found.ignored[:_LISTED_FILES]:
            ERRORS.print(f"  {path}")
        if more > 0:
            ERRORS.print(f"  and {more} more; --json lists them all")
    if without:
        ERRORS.print(f"People without a usable picture: {', '.join(without)}.")
    if left:
        ERRORS.print(f"Left: {left}. Run the command again to go on.")


def _why(outcome: PictureOutcome) -> str:
    faults = ", ".join(map(words, outcome.faults))
    return f"{outcome.reason}: {faults}" if faults else outcome.reason


def _without_usable_picture(found: People, outcomes: list[PictureOutcome]) -> list[str]:
    """Returns the ids of people of whom all pictures were refused, or who have none; not of those who are left."""
    counts = Counter(outcome.identity_id for outcome in outcomes if outcome.status == "refused")
    refused = [
        person.identity_id
        for person in found.people
        if counts[person.identity_id] == len(person.pictures)
    ]
    return sorted([*refused, *found.without_picture])
