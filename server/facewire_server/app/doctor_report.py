"""What `facewire-server gallery doctor` prints: lines for people, a document for programs, each finding with what to do next."""

import json
from collections.abc import Iterator
from shlex import quote
from typing import Any, Final

from facewire_server.galleries.checkup import EnrolledPeople, Finding, FindingKind
from facewire_server.galleries.examined import Examined
from facewire_server.thresholds import ThresholdSource

__all__ = ["as_document", "as_lines"]

_HEADINGS: Final = {
    FindingKind.PROBABLE_DOUBLE: "probably one person under two names (cosine of the means, at or above {double:.3f})",
    FindingKind.CONFUSABLE: "people who can be taken for each other (cosine of the means, at or above {least:.3f})",
    FindingKind.LEFT_OUT: "pictures that resemble their person too little, and are not searched (cosine to the mean)",
    FindingKind.DISAGREEING: "people searched by two pictures that disagree (their cosine)",
    FindingKind.POOR_PICTURE: "people whose only picture is poor (share of the limit that it reaches)",
    FindingKind.REFUSED_TEMPLATE: "pictures that enrollment would refuse as too poor (cosine to the mean)",
}


def as_lines(one: Examined, *, names: bool) -> Iterator[str]:
    """Yields the lines for people; `names` = with display names."""
    info = one.info
    yield (
        f"{info.gallery_id}: {_counted(info.identity_count, 'person', 'people')}, "
        f"{_counted(info.template_count, 'template', 'templates')}, threshold "
        f"{one.threshold.value:.3f} ({_why(one)})"
    )
    if one.is_sound:
        yield "  nothing was found"
    for kind, found in one.findings.items():
        if not found.total:
            continue
        shown = (
            f", the worst {len(found.listed)} of them" if found.total > len(found.listed) else ""
        )
        heading = _HEADINGS[kind].format(double=one.least_double, least=one.least_confusable)
        yield f"  {heading}: {found.total}{shown}"
        for finding in found.listed:
            who = " and ".join(_who(one.people, person, names=names) for person in finding.people)
            resembled = _resembled(one.people, finding, names=names)
            yield f"    {finding.value:.3f} {who}{_which(kind, finding)}{resembled}"
            yield f"          next: {_next_step(one, kind, finding)}"


def as_document(one: Examined, *, names: bool) -> dict[str, Any]:
    """Returns the same as a JSON object."""
    return {
        "gallery_id": one.info.gallery_id,
        "revision": one.info.revision,
        "identity_count": one.info.identity_count,
        "template_count": one.info.template_count,
        "threshold": one.threshold.value,
        "threshold_reason": _why(one),
        "least_double": one.least_double,
        "least_confusable": one.least_confusable,
        "findings": {
            kind.value: {
                "total": found.total,
                "listed": [_document(one, kind, finding, names=names) for finding in found.listed],
            }
            for kind, found in one.findings.items()
        },
    }


def _document(one: Examined, kind: FindingKind, finding: Finding, *, names: bool) -> dict[str, Any]:
    resembled = () if finding.resembled is None else (finding.resembled,)
    return {
        "identity_ids": [one.people.identity_ids[person] for person in finding.people],
        "resembled": [one.people.identity_ids[person] for person in resembled],
        "resembled_similarity": finding.resembled_similarity,
        **(
            {
                "display_names": [one.people.display_names[person] for person in finding.people],
                "resembled_names": [one.people.display_names[person] for person in resembled],
            }
            if names
            else {}
        ),
        "template_ids": list(finding.template_ids),
        "value": finding.value,
        "faults": [fault.name for fault in finding.faults],
        "next": _next_step(one, kind, finding),
    }


def _why(one: Examined) -> str:
    if one.threshold.source is ThresholdSource.OPERATOR:
        return "set by the operator"
    if one.threshold.source is ThresholdSource.ERROR_RATE:
        return "by the wanted error rate"
    if not one.is_of_contract:
        return "a guess: the gallery is of another model than the settings name"
    return "a guess: the model contract has no calibration"


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _which(kind: FindingKind, finding: Finding) -> str:
    """Returns the pictures that are at fault, and what their faults are; of two people who resemble each other none is."""
    if kind in (FindingKind.PROBABLE_DOUBLE, FindingKind.CONFUSABLE):
        return ""
    templates = " and ".join(finding.template_ids)
    faults = ", ".join(fault.value for fault in finding.faults)
    return f", template {templates}{': ' if faults else ''}{faults}"


def _who(people: EnrolledPeople, person: int, *, names: bool) -> str:
    who = quote(people.identity_ids[person])
    # As JSON: a name may hold what moves a terminal's cursor.
    return f"{who} {json.dumps(people.display_names[person])}" if names else who


def _resembled(people: EnrolledPeople, finding: Finding, *, names: bool) -> str:
    """Returns whom a picture resembles besides its person."""
    if finding.resembled is None:
        return ""
    who = _who(people, finding.resembled, names=names)
    return f", resembles {who} by {finding.resembled_similarity:.3f}"


def _next_step(one: Examined, kind: FindingKind, finding: Finding) -> str:
    gallery_id = one.info.gallery_id
    ids = [one.people.identity_ids[person] for person in finding.people]
    enroll = f"facewire enroll FOLDER --gallery {quote(gallery_id)}"
    delete = f"facewire identity delete-template --gallery {quote(gallery_id)} -- {quote(ids[0])} "
    if kind is FindingKind.PROBABLE_DOUBLE:
        merge = f"facewire identity merge --gallery {quote(gallery_id)} -- {quote(ids[0])} {quote(ids[-1])}"
        return f"if both are one person, merge them: {merge}"
    if kind is FindingKind.CONFUSABLE:
        return f"add good pictures of both, in a folder each: {enroll}"
    if kind is FindingKind.LEFT_OUT:
        return f"if it shows another person, delete it: {delete}{finding.template_ids[0]}"
    if kind is FindingKind.REFUSED_TEMPLATE:
        return f"add a better picture in a folder of the person: {enroll}; then delete it: {delete}{finding.template_ids[0]}"
    if kind is FindingKind.DISAGREEING:
        return f"add a third picture, which shows the wrong one: {enroll}; delete that: {delete}TEMPLATE"
    return f"add a better picture in a folder of the person: {enroll}"
