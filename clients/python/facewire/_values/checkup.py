"""What in a gallery harms its own recognition."""

from dataclasses import dataclass

from facewire._values.enums import FindingKind, QualityFault
from facewire._values.galleries import Gallery

__all__ = ["Finding", "Findings", "FoundPerson", "GalleryCheckup"]


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person of a finding.

    Attributes:
        identity_id: the identity.
        display_name: for people.
    """

    identity_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        people: whom it is about: two of a probable double and of confusable people, the one enrolled first first; else one.
        template_ids: of the templates that were compared, or are poor.
        value: the cosine of what was compared; of a template, left out or refused, that to its person's mean; of a poor picture the share of
            the limit that it reaches, below 1.
        faults: of a poor picture, worst first; of a refused template, why it is.
        resembled: of a template that is left out, the other person whom it resembles most; None if it resembles no other.
        resembled_similarity: the cosine to that person's mean; 0 without one.
    """

    people: tuple[FoundPerson, ...]
    template_ids: tuple[str, ...]
    value: float
    faults: tuple[QualityFault, ...]
    resembled: FoundPerson | None = None
    resembled_similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings of one kind.

    Attributes:
        kind: what was looked for.
        total_count: how many there are.
        listed: the worst of them, worst first.
    """

    kind: FindingKind
    total_count: int
    listed: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class GalleryCheckup:
    """A gallery that was examined.

    Attributes:
        gallery: as it was examined.
        least_confusable: cosine from which on two people are confusable.
        least_double: cosine from which on two people are probably one.
        findings: of each kind, also of those of which nothing was found.
    """

    gallery: Gallery
    least_confusable: float
    least_double: float
    findings: tuple[Findings, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not any(found.total_count for found in self.findings)
