"""What a gallery is asked and answers: records without behaviour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Candidate, Quality

__all__ = [
    "DEFAULT_GALLERY_ID",
    "Enrollment",
    "EnrollmentResult",
    "ExportedTemplate",
    "GalleryInfo",
    "GalleryRecord",
    "IdentityInfo",
    "ImportCounts",
    "NewIdentity",
    "SearchResult",
    "TemplateInfo",
]

DEFAULT_GALLERY_ID = "default"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a gallery holds that resembles some probes.

    Attributes:
        revision: the gallery's revision that was searched.
        candidates: for each probe its k best identities, best first; fewer where the gallery has fewer.
    """

    revision: int
    candidates: tuple[tuple[Candidate, ...], ...]


@dataclass(frozen=True, slots=True)
class GalleryInfo:
    """A gallery (`facewire.v1.Gallery`)."""

    gallery_id: str
    display_name: str
    revision: int
    identity_count: int
    template_count: int
    model_contract_id: str
    created_at_us: int


@dataclass(frozen=True, slots=True)
class IdentityInfo:
    """A person in a gallery (`facewire.v1.Identity`)."""

    identity_id: str
    display_name: str
    template_count: int
    created_at_us: int


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """What is known about one enrolled embedding (`facewire.v1.Template`)."""

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
        info: what is known about it.
        embedding: (d,) float32, unit length; the receiver's own copy.
    """

    info: TemplateInfo
    embedding: NDArray[np.float32]


GalleryRecord = IdentityInfo | ExportedTemplate
"""One record of an export: an identity, or a template of the identity before it."""


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """Who is enrolled.

    Attributes:
        identity_id: their id.
        display_name: for an identity made by this enrolment; "" = the id.
        create: make the identity where it does not exist.
    """

    identity_id: str
    display_name: str = ""
    create: bool = False


@dataclass(frozen=True, slots=True)
class EnrollmentResult:
    """What became of one picture of an enrolment.

    Attributes:
        template_id: the new template's, or "" when the picture was refused.
        refusal: name of the error's class in `errors` ("NoFace"), or "" when it was accepted.
        detail: the refusal for people, in English.
        quality: of the face; None where no single face was found.
        box: x1, y1, x2, y2 of the face, pixels; None where no single face was found.
        detection_score: of the face; 0 where no single face was found.
    """

    template_id: str
    refusal: str = ""
    detail: str = ""
    quality: Quality | None = None
    box: tuple[float, float, float, float] | None = None
    detection_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Enrollment:
    """The answer to an enrolment: a result for each picture, and the revision after the write."""

    results: tuple[EnrollmentResult, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an import did."""

    identities_added: int
    templates_added: int
    templates_skipped: int
    revision: int
