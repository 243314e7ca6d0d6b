"""The values that galleries take and return."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.refusal import Refusal
from facewire_server.thresholds import NO_PAIRS, GalleryPairs
from facewire_server.types import Candidate, Quality

__all__ = [
    "DEFAULT_GALLERY_ID",
    "MAX_NEGATIVE_EXAMPLES",
    "MAX_PASSED_OVER",
    "AddedNegativeExample",
    "Correction",
    "DeletedIdentity",
    "Enrollment",
    "EnrollmentResult",
    "ExportedNegativeExample",
    "ExportedTemplate",
    "GalleryInfo",
    "GalleryRecord",
    "GallerySize",
    "IdentityInfo",
    "ImportCounts",
    "NegativeExampleInfo",
    "NewIdentity",
    "NewNegativeExample",
    "PersonName",
    "PersonReference",
    "Presence",
    "SearchResult",
    "StoreStatistics",
    "TemplateInfo",
    "enrolled_count",
]

DEFAULT_GALLERY_ID = "default"
"""The gallery that always exists, and that a request without a gallery id means."""


MAX_NEGATIVE_EXAMPLES = 100
"""The contract's limit for an identity: what a search reads for a candidate stays below 0.25 MB. Chosen, not measured."""

MAX_PASSED_OVER = 32
"""Identities that a search finds besides those wanted, if the probe is nearer to negative examples of them. Chosen, not measured."""


def enrolled_count(identity_count: int, template_count: int) -> int:
    """Returns how many identities of a gallery a search can find, for the threshold by size.

    Identities without a template cannot be found. The store counts identities and templates, so this
    is the smaller of the two: exact if each identity has a template, else possibly too high, which
    makes the threshold higher and not lower.
    """
    return min(identity_count, template_count)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The identities of a gallery that are nearest to some probes.

    Attributes:
        revision: the gallery's revision that was searched.
        candidates: for each probe its k best identities, best first, and those between that it is nearer to a negative example of
            (`Candidate.is_nearer_to_negative_example`); fewer if the gallery has fewer, or after `MAX_PASSED_OVER` of the latter.
        identity_count: identities of that revision that a search can find (`enrolled_count`).
        pairs: how much the people of that revision resemble one another.
    """

    revision: int
    candidates: tuple[tuple[Candidate, ...], ...]
    identity_count: int
    pairs: GalleryPairs = NO_PAIRS


class Presence(NamedTuple):
    """Whether some identities are still in a gallery.

    Attributes:
        revision: the gallery's now.
        missing: those that it lacks, of the ids that were asked about.
    """

    revision: int
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class GalleryInfo:
    """A gallery (`facewire.v1.Gallery`).

    `pending_purge_count` is of the store's files, not of the gallery: two stores of one content may differ in it. `pairs` is how much
    its people resemble one another.
    """

    gallery_id: str
    display_name: str
    revision: int
    identity_count: int
    template_count: int
    model_contract_id: str
    created_at_us: int
    pending_purge_count: int = field(default=0, compare=False)
    pairs: GalleryPairs = NO_PAIRS
    negative_example_count: int = 0

    @property
    def enrolled_count(self) -> int:
        """Identities that a search can find (`enrolled_count`)."""
        return enrolled_count(self.identity_count, self.template_count)


@dataclass(frozen=True, slots=True)
class IdentityInfo:
    """A person in a gallery (`facewire.v1.Identity`)."""

    identity_id: str
    display_name: str
    template_count: int
    created_at_us: int
    negative_example_count: int = 0


class Correction(NamedTuple):
    """A merge or a split that was written.

    Attributes:
        identity: that has the templates which were moved.
        moved_count: the number of them.
        revision: of the gallery after it.
        record: the number of `identity`.
        other_record: the number of the identity that had the templates.
    """

    identity: IdentityInfo
    moved_count: int
    revision: int
    record: int
    other_record: int


class DeletedIdentity(NamedTuple):
    """An identity that was deleted.

    Attributes:
        template_count: templates that were deleted with it.
        revision: of the gallery after it.
        record: its number, which no other identity of the gallery ever has.
    """

    template_count: int
    revision: int
    record: int


class PersonReference(NamedTuple):
    """A person of a gallery, for whoever must keep no name: only the gallery can turn it into one.

    Attributes:
        gallery_id: the gallery.
        number: of the identity; no other one of a gallery of this id ever has it.
        created_at_us: when the identity was made: a gallery that was restored from a backup gives numbers a second time.
    """

    gallery_id: str
    number: int
    created_at_us: int


class PersonName(NamedTuple):
    """What a reference stands for now."""

    identity_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """Metadata of one enrolled embedding (`facewire.v1.Template`)."""

    template_id: str
    identity_id: str
    quality: Quality
    detection_score: float
    created_at_us: int
    source: str


@dataclass(frozen=True, slots=True)
class ExportedTemplate:
    """A template with its embedding.

    Attributes:
        info: its metadata.
        embedding: (d,) float32, unit length; the receiver's own copy.
    """

    info: TemplateInfo
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NegativeExampleInfo:
    """Metadata of a face that is not the identity (`facewire.v1.NegativeExample`)."""

    negative_example_id: str
    identity_id: str
    quality: Quality
    detection_score: float
    created_at_us: int
    source: str


@dataclass(frozen=True, slots=True)
class ExportedNegativeExample:
    """A negative example with its embedding.

    Attributes:
        info: its metadata.
        embedding: (d,) float32, unit length; the receiver's own copy.
    """

    info: NegativeExampleInfo
    embedding: NDArray[np.float32]


GalleryRecord = IdentityInfo | ExportedTemplate | ExportedNegativeExample
"""One record of an export: an identity, or a template or negative example of the identity before it."""


@dataclass(frozen=True, slots=True)
class NewNegativeExample:
    """A face that is not a person.

    Attributes:
        negative_example_id: its id.
        identity_id: who it is not.
        quality: of the face.
        detection_score: of the face.
        box: x1, y1, x2, y2 of the face, pixels.
        source: kept with it.
        request_id: "" = the request cannot be repeated.
        fingerprint: distinguishes this request from another one that uses the same id.
    """

    negative_example_id: str
    identity_id: str
    quality: Quality
    detection_score: float
    box: tuple[float, float, float, float]
    source: str = ""
    request_id: str = ""
    fingerprint: bytes = b""


@dataclass(frozen=True, slots=True)
class AddedNegativeExample:
    """A negative example as it was added, now or by an earlier request of the same id.

    Attributes:
        info: its metadata.
        box: x1, y1, x2, y2 of the face, pixels.
        similarity: of the face to the identity, as a search has it, now; 0 if the identity has no template.
        revision: of the gallery now.
        identity_count: identities that a search can find now (`enrolled_count`).
        is_new: it was added now.
        pairs: how much the gallery's people resemble one another, now.
    """

    info: NegativeExampleInfo
    box: tuple[float, float, float, float]
    similarity: float
    revision: int
    identity_count: int
    is_new: bool
    pairs: GalleryPairs = NO_PAIRS


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """The person to enroll.

    Attributes:
        identity_id: their id.
        display_name: for an identity made by this enrollment; "" = the id.
        create: make the identity if it does not exist.
    """

    identity_id: str
    display_name: str = ""
    create: bool = False


@dataclass(frozen=True, slots=True)
class EnrollmentResult:
    """The result of one picture of an enrollment.

    Attributes:
        template_id: the new template's, or "" if the picture was refused.
        refusal: why it was refused, or None if it was accepted.
        detail: the refusal for people, in English.
        quality: of the face; None if no single face was found.
        box: x1, y1, x2, y2 of the face, pixels; None if no single face was found.
        detection_score: of the face; 0 if no single face was found.
        similar_identity_id: another identity that the new template matches; "" = none. Not stored: a
            remembered enrollment must not keep the id of a person who is deleted.
        similar_identity_similarity: to it; 0 = none.
    """

    template_id: str
    refusal: Refusal | None = None
    detail: str = ""
    quality: Quality | None = None
    box: tuple[float, float, float, float] | None = None
    detection_score: float = 0.0
    similar_identity_id: str = ""
    similar_identity_similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Enrollment:
    """The outcome of an enrollment.

    Attributes:
        results: one for each picture.
        revision: after the write; of a repeated request, that of the first time.
        identity_count: identities that a search can find after the write (`enrolled_count`); of a
            repeated request, now.
        pairs: how much the gallery's people resemble one another, likewise.
    """

    results: tuple[EnrollmentResult, ...]
    revision: int
    identity_count: int
    pairs: GalleryPairs = NO_PAIRS


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Numbers of records that an import added or skipped."""

    identities_added: int
    templates_added: int
    templates_skipped: int
    revision: int
    negative_examples_added: int = 0
    negative_examples_skipped: int = 0

    @property
    def added_count(self) -> int:
        """Records that were added, of all kinds; 0 = nothing was written."""
        return self.identities_added + self.templates_added + self.negative_examples_added


@dataclass(frozen=True, slots=True)
class GallerySize:
    """Size and revision of one gallery. The operator chose its id."""

    gallery_id: str
    revision: int
    identity_count: int
    template_count: int


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """The size of a store, for metrics.

    Attributes:
        file_bytes: size of the file on disk.
        used_bytes: of the file, up to the last page ever used; pages freed since count.
        map_bytes: address space that the file may fill before the map must be moved.
        max_bytes: quota beyond which additions raise GalleryFull.
        reader_count: read transactions open now, in all processes, the one of this call included.
        galleries: in order of id; none if a record of one is damaged.
        is_writable: writes begin in their time, on a disk that is not read-only.
        damaged_gallery_count: galleries in which something was found that cannot be.
        crop_count: crops of enrolled pictures that are kept, in all galleries.
        erasure_pending_s: seconds since the first deletion of which something may still be in the file; 0 = none is.
        backed_up_at_s: when the last backup was made, seconds since 1970-01-01 UTC; 0 = never.
    """

    file_bytes: int
    used_bytes: int
    map_bytes: int
    max_bytes: int
    reader_count: int
    galleries: tuple[GallerySize, ...]
    is_writable: bool = True
    damaged_gallery_count: int = 0
    crop_count: int = 0
    erasure_pending_s: float = 0.0
    backed_up_at_s: float = 0.0
