"""Converts what was found in a gallery to protobuf."""

from typing import Final

from facewire.v1 import gallery_pb2
from facewire_server.galleries.checkup import EnrolledPeople, Finding, FindingKind, Findings
from facewire_server.galleries.examined import Examined
from facewire_server.rpc.checks import whole_within
from facewire_server.rpc.convert_quality import fault_messages

__all__ = ["checked_max_findings", "checkup_message"]

_DEFAULT_FINDINGS: Final = 20
_MOST_FINDINGS: Final = 100
"""The contract's limits of findings that are listed, of each kind."""

_KINDS: Final = {
    FindingKind.PROBABLE_DOUBLE: gallery_pb2.FINDING_KIND_PROBABLE_DOUBLE,
    FindingKind.CONFUSABLE: gallery_pb2.FINDING_KIND_CONFUSABLE,
    FindingKind.LEFT_OUT: gallery_pb2.FINDING_KIND_LEFT_OUT,
    FindingKind.DISAGREEING: gallery_pb2.FINDING_KIND_DISAGREEING,
    FindingKind.POOR_PICTURE: gallery_pb2.FINDING_KIND_POOR_PICTURE,
    FindingKind.REFUSED_TEMPLATE: gallery_pb2.FINDING_KIND_REFUSED_TEMPLATE,
}


def checked_max_findings(value: int) -> int:
    """Returns the most findings of a kind that are listed; 0 = 20; raises InvalidField."""
    return whole_within(value or _DEFAULT_FINDINGS, 1, _MOST_FINDINGS, "max_findings")


def checkup_message(
    examined: Examined, gallery: gallery_pb2.Gallery
) -> gallery_pb2.CheckGalleryResponse:
    """Converts what was found in a gallery.

    Args:
        examined: the gallery.
        gallery: the same as a message.
    """
    return gallery_pb2.CheckGalleryResponse(
        gallery=gallery,
        least_confusable=examined.least_confusable,
        least_double=examined.least_double,
        findings=[
            _findings(examined.people, kind, found) for kind, found in examined.findings.items()
        ],
    )


def _findings(
    people: EnrolledPeople, kind: FindingKind, found: Findings
) -> gallery_pb2.GalleryFindings:
    return gallery_pb2.GalleryFindings(
        kind=_KINDS[kind],
        total_count=found.total,
        listed=[_finding(people, one) for one in found.listed],
    )


def _finding(people: EnrolledPeople, finding: Finding) -> gallery_pb2.GalleryFinding:
    resembled = finding.resembled
    return gallery_pb2.GalleryFinding(
        people=[_person(people, person) for person in finding.people],
        template_ids=finding.template_ids,
        value=finding.value,
        faults=fault_messages(finding.faults),
        resembled=None if resembled is None else _person(people, resembled),
        resembled_similarity=finding.resembled_similarity,
    )


def _person(people: EnrolledPeople, person: int) -> gallery_pb2.FoundPerson:
    return gallery_pb2.FoundPerson(
        identity_id=people.identity_ids[person], display_name=people.display_names[person]
    )
