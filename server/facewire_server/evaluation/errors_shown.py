"""The parts of a report that show pictures: failures, probable label errors, and the worst errors."""

from collections.abc import Callable
from html import escape
from typing import Final

from facewire_server.evaluation.elements import pairs, section
from facewire_server.evaluation.looks import Looks, worst
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.samples import Sample
from facewire_server.evaluation.worst_pairs import Compared

__all__ = ["errors_shown", "failures_shown", "labels_shown"]

_FAILURES: Final = 24
"""Failures that are shown with a picture; the JSON report lists all. Chosen, not measured."""

_Portrait = Callable[[Sample], str]


def failures_shown(result: Evaluation, portrait: _Portrait) -> str:
    """Returns the pictures from which no template can be made, and why."""
    rows = [
        row
        for row in result.samples.rows
        if row.picture.person
        and row.is_usable
        and (row.acquired is None or (row.enrolled and row.enrolled.objections))
    ]
    lost = [row for row in result.samples.rows if not row.is_usable]
    listed = "".join(
        f"<li>{escape(row.picture.name)}: {escape(row.detail or _why(row))}</li>" for row in lost
    )
    details = (
        f"<details><summary>{len(lost)} files left out</summary><ul>{listed}</ul></details>"
        if lost
        else ""
    )
    shown = rows[:_FAILURES]
    return details + pairs(
        "Refused pictures",
        f"{len(shown)} of {len(rows)}: no face was found, or enrollment refuses it.",
        [
            ([(portrait(row), row.picture.name)], f"{row.picture.name}: {_why(row)}")
            for row in shown
        ],
    )


def labels_shown(result: Evaluation, portrait: _Portrait) -> str:
    """Returns what is probably wrong about the labels."""
    samples, found = result.samples, result.suspected
    doubles = [
        (
            _pictures(result, portrait, each.first_row, each.second_row),
            f"{samples.people[each.first]} and {samples.people[each.second]}: similarity {each.similarity:.3f}",
        )
        for each in found.doubles
    ]
    mislabeled = [
        (
            _pictures(
                result, portrait, each.row, each.nearest_row if each.is_theirs else each.other_row
            ),
            f"{samples.rows[each.row].picture.name}: {each.own:.3f} to the other pictures of {samples.people[int(samples.person[each.row])]}"
            + (
                f", {each.similarity:.3f} to {samples.people[each.nearest]}, shown at its side"
                if each.is_theirs
                else ", one of which is at its side"
            ),
        )
        for each in found.mislabeled
    ]
    return section(
        "labels",
        "Probable label errors",
        "<p>An error of the labels counts as an error of the system. Look at these first, correct the labels, and run the command again: "
        "it takes little time if it keeps embeddings.</p>",
        pairs(
            "One person under two names, probably",
            "Their mean templates resemble each other more than those of two people do; those of twins do, too.",
            doubles,
        ),
        pairs(
            "Pictures under the wrong name, probably",
            "They resemble their person as little as strangers do, or someone else more.",
            mislabeled,
        ),
    )


def errors_shown(result: Evaluation, portrait: _Portrait) -> str:
    """Returns the worst errors with their pictures."""
    compared = result.compared

    def both(errors: list[Compared]) -> list[tuple[list[tuple[str, str]], str]]:
        rows = result.samples.rows
        return [
            (
                _pictures(result, portrait, each.first, each.second),
                f"{rows[each.first].picture.name} and {rows[each.second].picture.name}: {each.similarity:.3f}",
            )
            for each in errors
        ]

    parts = [
        pairs(
            "Two people taken for one",
            "The most similar pairs of two people, one against one.",
            both(compared.false_matches),
        ),
        pairs(
            "One person taken for two",
            "The least similar pairs of one person that could be compared.",
            both(compared.false_non_matches),
        ),
    ]
    if result.searched is not None:
        named, missed = worst(result.samples, result.searched.looks)
        parts += [
            pairs(
                "A wrong name",
                "At the side is a picture of the person whose name was given.",
                _looks(result, portrait, named),
            ),
            pairs(
                "No name, or the wrong one",
                "At the side is another picture of the same person.",
                _looks(result, portrait, missed, own=True),
            ),
        ]
    return section("errors", "Worst errors", *parts)


def _looks(
    result: Evaluation, portrait: _Portrait, looks: Looks, *, own: bool = False
) -> list[tuple[list[tuple[str, str]], str]]:
    samples = result.samples
    entries = []
    for look in looks:
        beside = _other_row(result, int(samples.person[look.row]) if own else look.best, look.row)
        name = samples.people[look.best] if look.best >= 0 else "no one"
        entries.append(
            (
                _pictures(result, portrait, look.row, beside),
                f"{samples.rows[look.row].picture.name}: {look.similarity:.3f} to {name}, threshold {look.threshold:.3f}",
            )
        )
    return entries


def _other_row(result: Evaluation, person: int, row: int) -> int:
    """Returns another picture of a person, one with a face if there is one; `row` itself if it is the only one."""
    rows = [int(each) for each in (result.samples.person == person).nonzero()[0] if each != row]
    with_face = [each for each in rows if result.samples.is_enrolled[each]]
    return (with_face or rows or [row])[0]


def _pictures(result: Evaluation, portrait: _Portrait, *rows: int) -> list[tuple[str, str]]:
    samples = [result.samples.rows[row] for row in rows]
    return [(portrait(each), each.picture.name) for each in samples]


def _why(row: Sample) -> str:
    if row.enrolled is not None and row.enrolled.objections:
        return row.enrolled.objections[0].text
    return row.failure.value if row.failure else ""
