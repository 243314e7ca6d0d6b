"""`facewire doctor`: what in a gallery harms its recognition."""

from collections.abc import Iterator

from facewire import Finding, FindingKind, Findings, GalleryCheckup
from facewire.cli._output import ERRORS, counted, print_json, print_line, words
from facewire.cli._session import Server, session

__all__ = ["run"]

_HEADINGS = {
    FindingKind.PROBABLE_DOUBLE: "probably one person under two names: `facewire identity merge` them if so",
    FindingKind.CONFUSABLE: "people who can be taken for each other: enroll more good pictures of both",
    FindingKind.LEFT_OUT: "pictures that resemble their person too little: `facewire identity delete-template` those of another person",
    FindingKind.DISAGREEING: "people with two pictures that disagree: enroll a third one, `facewire identity delete-template` the wrong one",
    FindingKind.POOR_PICTURE: "people whose only picture is poor: enroll a better one",
    FindingKind.REFUSED_TEMPLATE: "pictures that enrollment would refuse: enroll better ones, then `facewire identity delete-template` them",
}


def run(server: Server, *, gallery: str, limit: int, as_json: bool) -> None:
    """Prints the findings of a gallery, worst first, without display names: terminals are logged.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        checkup = client.check_gallery(gallery=gallery, max_findings=limit)
    if as_json:
        for found in checkup.findings:
            print_json(findings=found)
        return
    for line in _lines(checkup):
        print_line(line)
    people = counted(checkup.gallery.identity_count, "person", "people")
    ERRORS.print(f"{people} compared{', nothing was found' if checkup.is_sound else ''}.")


def _lines(checkup: GalleryCheckup) -> Iterator[str]:
    for found in checkup.findings:
        if found.total_count:
            yield f"{_HEADINGS.get(found.kind, words(found.kind))}: {found.total_count}{_rest(found)}"
            yield from (f"  {_line(finding)}" for finding in found.listed)


def _rest(found: Findings) -> str:
    listed = len(found.listed)
    return f", the worst {listed} of them" if listed < found.total_count else ""


def _line(finding: Finding) -> str:
    people = " ".join(person.identity_id for person in finding.people)
    faults = "".join(f" {words(fault)}" for fault in finding.faults)
    resembled = ""
    if finding.resembled:
        resembled = f" resembles {finding.resembled.identity_id} {finding.resembled_similarity:.3f}"
    return (
        f"{finding.value:.3f} {people} template {' '.join(finding.template_ids)}{faults}{resembled}"
    )
