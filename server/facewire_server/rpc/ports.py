"""What the wire calls: a recogniser and an enroller, as it sees them."""

from collections.abc import Sequence
from typing import Protocol

from facewire_server.pipeline.ports import Enrollment, NewIdentity
from facewire_server.pipeline.types import (
    Comparison,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Picture,
    Recognition,
)

__all__ = ["Enroller", "Recognizer"]


class Recognizer(Protocol):
    """Pictures in, decisions out. May be called from many tasks at once."""

    @property
    def model_contract_id(self) -> str:
        """The model contract that embeddings are made under."""
        ...

    async def recognize(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Recognition:
        """Says who is in a picture.

        Raises:
            InvalidImage: the picture cannot be used.
            GalleryNotFound, ContractMismatch: the gallery cannot be searched.
            ModelUnavailable: a model does not answer.
        """
        ...

    async def compare(
        self,
        first: Picture,
        second: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Comparison:
        """Says whether two pictures show the same person.

        Raises:
            InvalidImage, NoFace, SeveralFaces: of the picture named by the error's `field`.
            ModelUnavailable: a model does not answer.
        """
        ...


class Enroller(Protocol):
    """Pictures of one person in, templates in a gallery."""

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        pictures: Sequence[Picture],
        selection: FaceSelection,
        detection: DetectionOptions,
        *,
        source: str,
        request_id: str,
    ) -> Enrollment:
        """Enrolls the pictures that can be; a refused one is a result, not an error.

        Raises:
            GalleryNotFound, ContractMismatch, GalleryFull: the gallery cannot be written.
            IdentityNotFound, RequestIdReused: as `Gallery.enroll`.
            ModelUnavailable: a model does not answer.
        """
        ...
