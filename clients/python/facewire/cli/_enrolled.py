"""The outcomes of the pictures of a folder, and the report of them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facewire import QualityFault, ThresholdSource
from facewire.cli._folder import People
from facewire.cli._output import ERRORS, counted, print_json, print_table, threshold_text, words

__all__ = ["InForce", "PictureOutcome", "report"]

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
        similar_identity_id: another person whom the picture matches; "" if there is none.
        similar_identity_similarity: to that person.
    """

    picture: Path
    identity_id: str
    status: Literal["enrolled", "present", "refused"]
    template_id: str = ""
    reason: str = ""
    faults: tuple[QualityFault, ...] = ()
    detail: str = ""
    similar_identity_id: str = ""
    similar_identity_similarity: float = 0.0


@dataclass(slots=True)
class InForce:
    """The threshold of a gallery, as the server last said it; 0 if it did not."""

    threshold: float = 0.0
    source: ThresholdSource = ThresholdSource.UNSPECIFIED


def report(
    found: People,
    outcomes: list[PictureOutcome],
    gallery: str,
    in_force: InForce,
    *,
    as_json: bool,
) -> None:
    """Prints counts, what was refused and why, who matches another person, what was ignored, and who has no picture.

    Args:
        found: the folder.
        outcomes: of its pictures; fewer than it has if the run was interrupted.
        gallery: the gallery.
        in_force: its threshold.
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
                "similar": sum(bool(outcome.similar_identity_id) for outcome in outcomes),
                "threshold": in_force.threshold,
                "threshold_source": in_force.source,
            }
        )
        return
    refused = [outcome for outcome in outcomes if outcome.status == "refused"]
    if refused:
        rows = [(str(outcome.picture), _why(outcome), outcome.detail) for outcome in refused]
        print_table("Refused", ["picture", "reason", "what happened"], rows)
    ERRORS.print(
        f"{counts['enrolled']} enrolled, {counts['present']} there already, "
        f"{counts['refused']} refused: {counted(len(found.people), 'person', 'people')}, gallery {gallery!r}."
    )
    _warn_of_similar(outcomes)
    if in_force.threshold:
        shown = threshold_text(in_force.threshold, in_force.source)
        ERRORS.print(f"Threshold of the gallery now: {shown}.")
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


def _warn_of_similar(outcomes: list[PictureOutcome]) -> None:
    similar = [outcome for outcome in outcomes if outcome.similar_identity_id]
    if not similar:
        return
    rows = [
        (
            str(outcome.picture),
            outcome.identity_id,
            outcome.similar_identity_id,
            f"{outcome.similar_identity_similarity:.3f}",
        )
        for outcome in similar
    ]
    columns = ["picture", "enrolled as", "also matches", " similarity"]
    print_table("Two people match", columns, rows)
    ERRORS.print(
        f"Warning: another person matches {counted(len(similar), 'enrolled picture')}, too: one person under "
        "two names, or one picture under two? Their faces may be ambiguous. "
        "`facewire identity merge` makes them one."
    )


def _without_usable_picture(found: People, outcomes: list[PictureOutcome]) -> list[str]:
    """Returns the ids of people of whom all pictures were refused, or who have none; not of those who are left."""
    counts = Counter(outcome.identity_id for outcome in outcomes if outcome.status == "refused")
    refused = [
        person.identity_id
        for person in found.people
        if counts[person.identity_id] == len(person.pictures)
    ]
    return sorted([*refused, *found.without_picture])
