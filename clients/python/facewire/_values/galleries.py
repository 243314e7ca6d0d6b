"""Galleries and what is in them, as immutable values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from facewire._values.enums import ErrorReason, ThresholdSource
from facewire._values.faces import Box, Quality

__all__ = [
    "EnrollResult",
    "EnrolledPicture",
    "Gallery",
    "Identity",
    "IdentityPage",
    "ImportResult",
    "SimilarIdentityWarning",
    "Template",
]


class SimilarIdentityWarning(UserWarning):
    """An enrolled picture also matches another identity; the result of `enroll` says which."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """A set of identities to search.

    Attributes:
        gallery_id: its id.
        display_name: for people.
        revision: raised by every write to it; never lowered.
        identity_count: people in it.
        template_count: templates in it.
        model_contract_id: the model contract that its templates were made under.
        pending_purge_count: deletions whose data may still be in the files of a server that
            counts them; 0 from one that does not.
        created_at: when it was made, UTC.
        threshold: what a probe is compared with now, unless its request sets a threshold; 0 from a
            server that is older than this value.
        threshold_source: why it has its value.
        negative_example_count: negative examples in it; 0 also from an older server.
    """

    gallery_id: str
    display_name: str
    revision: int
    identity_count: int
    template_count: int
    model_contract_id: str
    pending_purge_count: int
    created_at: datetime
    threshold: float = 0.0
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED
    negative_example_count: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """A person in a gallery.

    Attributes:
        identity_id: their id.
        display_name: for people.
        template_count: templates of them.
        created_at: when it was made, UTC.
        negative_example_count: faces that were taken for them and are not theirs; 0 also from an older server.
    """

    identity_id: str
    display_name: str
    template_count: int
    created_at: datetime
    negative_example_count: int = 0


@dataclass(frozen=True, slots=True)
class IdentityPage:
    """Some identities of a gallery, in the order of their ids.

    Attributes:
        identities: the identities of this page.
        next_page_token: names the next page, for `Client.identity_page`; "" if this is the last one.
    """

    identities: tuple[Identity, ...]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class Template:
    """One enrolled embedding of an identity.

    Attributes:
        template_id: its id: 32 hexadecimal digits.
        identity_id: the identity that it belongs to.
        quality: how good the enrolled face was.
        detection_score: the detector's confidence in it. Range [0, 1].
        created_at: when it was enrolled, UTC.
        source: where the picture came from, in the words of the caller who enrolled it.
    """

    template_id: str
    identity_id: str
    quality: Quality
    detection_score: float
    created_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class EnrolledPicture:
    """The outcome of enrolling one picture.

    Attributes:
        template_id: the new template's id; "" if the picture was refused.
        refusal: why it was refused; None if it was accepted.
        detail: the same for people; "" if it was accepted.
        quality: how well the face can be recognized; None if no single face was found.
        box: position and size of the face; None if no single face was found.
        similar_identity_id: another identity whose template reaches the threshold: one person under
            two names, one picture under two, or two people who look alike; "" if there is none.
        similar_identity_similarity: the similarity to it; 0 if there is none.
    """

    template_id: str
    refusal: ErrorReason | None
    detail: str
    quality: Quality | None
    box: Box | None
    similar_identity_id: str = ""
    similar_identity_similarity: float = 0.0

    @property
    def accepted(self) -> bool:
        """Whether it became a template."""
        return self.refusal is None

    @classmethod
    def refused(cls, refusal: ErrorReason, detail: str) -> Self:
        """Makes the result of a picture that was refused before a face was searched for."""
        return cls(template_id="", refusal=refusal, detail=detail, quality=None, box=None)


@dataclass(frozen=True, slots=True)
class EnrollResult:
    """The outcome of enrolling the pictures of one person.

    Attributes:
        identity_id: the person.
        pictures: one for each picture, in order.
        revision: the gallery's revision after the last write; 0 if no call was made.
        threshold: what a probe of this gallery is compared with from now on, unless its request sets a
            threshold; 0 if no call was made, or from a server that is older than this value.
        threshold_source: why it has its value.
    """

    identity_id: str
    pictures: tuple[EnrolledPicture, ...]
    revision: int
    threshold: float = 0.0
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED

    @property
    def accepted_count(self) -> int:
        """How many pictures became templates."""
        return sum(picture.accepted for picture in self.pictures)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The outcome of an import.

    Attributes:
        identities_added: identities that were new.
        templates_added: templates that were new.
        templates_skipped: templates that existed already.
        revision: the gallery's revision after the last write.
        templates_poor: templates of the file that an enrollment refuses, as far as the file states what was
            measured; those that existed already count, too. A stranger whose face is poor in the same
            way may get such a person's name: enroll these people again. 0 also from an older server.
        negative_examples_added: negative examples that were new.
        negative_examples_skipped: negative examples that existed already.
    """

    identities_added: int
    templates_added: int
    templates_skipped: int
    revision: int
    templates_poor: int = 0
    negative_examples_added: int = 0
    negative_examples_skipped: int = 0
