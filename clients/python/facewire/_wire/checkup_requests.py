"""The call that examines a gallery, as a value; see `facewire._wire.requests`."""

from facewire._values.checkup import Finding, Findings, FoundPerson, GalleryCheckup
from facewire._values.enums import FindingKind, QualityFault
from facewire._wire.read_galleries import read_gallery
from facewire._wire.requests import Call
from facewire.v1 import gallery_pb2

__all__ = ["CHECK_TIMEOUT_S", "check_gallery"]

CHECK_TIMEOUT_S = 60.0
"""Seconds for the call, which may wait for others. Chosen, not measured."""


def check_gallery(gallery: str, max_findings: int) -> Call[GalleryCheckup]:
    """Examines a gallery."""
    request = gallery_pb2.CheckGalleryRequest(gallery_id=gallery, max_findings=max_findings)
    return Call(lambda stubs: stubs.galleries.CheckGallery, request, _checkup)


def _checkup(response: gallery_pb2.CheckGalleryResponse) -> GalleryCheckup:
    return GalleryCheckup(
        read_gallery(response.gallery),
        response.least_confusable,
        response.least_double,
        tuple(map(_findings, response.findings)),
    )


def _findings(found: gallery_pb2.GalleryFindings) -> Findings:
    kind = FindingKind.from_wire(found.kind)
    return Findings(kind, found.total_count, tuple(map(_finding, found.listed)))


def _finding(finding: gallery_pb2.GalleryFinding) -> Finding:
    return Finding(
        people=tuple(map(_person, finding.people)),
        template_ids=tuple(finding.template_ids),
        value=finding.value,
        faults=tuple(map(QualityFault.from_wire, finding.faults)),
        resembled=_person(finding.resembled) if finding.HasField("resembled") else None,
        resembled_similarity=finding.resembled_similarity,
    )


def _person(person: gallery_pb2.FoundPerson) -> FoundPerson:
    return FoundPerson(person.identity_id, person.display_name)
