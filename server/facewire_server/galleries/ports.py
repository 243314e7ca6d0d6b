"""What the server asks of a store of people."""

from collections.abc import Generator, Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    NewIdentity,
    SearchResult,
    TemplateInfo,
)

__all__ = ["Gallery"]


class Gallery(Protocol):
    """The enrolled people: several galleries, each a set of identities with templates.

    Calls block (on memory, for writes on the disk): call them from a thread, never
    from the event loop. They may be called from several threads at once. A write that
    returned is durable, and visible to the next call of every process. Every write
    to a gallery raises its revision.

    Every method that takes a `gallery_id` raises `GalleryNotFound` where there is none, every
    write may raise `GalleryFull` and has then written nothing. `search`, `enroll`, `import_records`
    and `export_records` raise `ModelContractMismatch` for a gallery whose templates were made under
    another model contract than this object's; reading and deleting stay possible.
    """

    @property
    def model_contract_id(self) -> str:
        """The model contract whose embeddings this object takes and searches."""
        ...

    def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        """Finds the k identities nearest to each probe, each by its best template.

        Equal similarities are ordered by the UTF-8 bytes of the identity id; of an identity's equal
        templates the oldest counts. A similarity is the dot product rounded once to float32:
        it does not depend on what else is in the gallery or among the probes.

        Args:
            gallery_id: the gallery.
            probes: (n, d) float32 rows of unit length; n may be 0.
            k: >= 1.

        Raises:
            InvalidField: probes of another dimension, or not of unit length.
        """
        ...

    def revision(self, gallery_id: str) -> int:
        """The gallery's revision now; cheap enough to ask for every frame."""
        ...

    def create_gallery(self, gallery_id: str, display_name: str) -> GalleryInfo:
        """Makes an empty gallery; raises GalleryExists, and InvalidField for what is no id.

        Its revisions lie above those of any gallery deleted before.
        """
        ...

    def get_gallery(self, gallery_id: str) -> GalleryInfo:
        """Reads a gallery."""
        ...

    def list_galleries(self, after: str, limit: int) -> list[GalleryInfo]:
        """At most `limit` galleries with an id above `after` ("" = all), in order of id."""
        ...

    def delete_gallery(self, gallery_id: str) -> int:
        """Deletes a gallery with all in it; answers its last revision.

        "default" is emptied and stays, and takes this object's model contract.
        """
        ...

    def create_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """Adds an identity without templates; answers it and the revision.

        Raises:
            IdentityExists: there is one of this id.
            InvalidField: what is no id.
        """
        ...

    def get_identity(self, gallery_id: str, identity_id: str) -> IdentityInfo:
        """Reads an identity; raises IdentityNotFound."""
        ...

    def list_identities(self, gallery_id: str, after: str, limit: int) -> list[IdentityInfo]:
        """At most `limit` identities whose id's UTF-8 bytes lie above `after`'s, in that order."""
        ...

    def update_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """Changes the display name; answers the identity and the revision; raises IdentityNotFound."""
        ...

    def delete_identity(self, gallery_id: str, identity_id: str) -> tuple[int, int]:
        """Deletes an identity, its templates and its remembered enrolments.

        Returns:
            The number of templates deleted, and the revision.

        Raises:
            IdentityNotFound: no such identity.
        """
        ...

    def list_templates(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[TemplateInfo]:
        """At most `limit` templates of an identity, oldest first, those enrolled after template `after`.

        Raises:
            IdentityNotFound: no such identity.
            TemplateNotFound: `after` is not (or no longer) a template of it.
        """
        ...

    def delete_template(self, gallery_id: str, template_id: str) -> int:
        """Deletes one template; answers the revision; raises TemplateNotFound."""
        ...

    def remembered_enrollment(
        self, gallery_id: str, request_id: str, fingerprint: bytes
    ) -> Enrollment | None:
        """The answer that this request got before, or None.

        Raises:
            RequestIdReused: the id belongs to a request with another fingerprint.
        """
        ...

    def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        results: Sequence[EnrollmentResult],
        embeddings: NDArray[np.float32],
        *,
        source: str = "",
        request_id: str = "",
        fingerprint: bytes = b"",
    ) -> Enrollment:
        """Commits the accepted pictures of one enrolment together.

        Args:
            gallery_id: the gallery.
            identity: whose templates they are.
            results: one a picture; those with a `template_id` are stored.
            embeddings: (m, d) float32 unit rows, one for each result with a `template_id`, in order.
            source: kept with each template.
            request_id: remembers the answer under this name; "" = not. The last 10,000 of a gallery are kept.
            fingerprint: tells this request from another one that uses the same id.

        Returns:
            The answer; for a request id seen before, the answer given then, and nothing is written.
            Without any accepted picture nothing is written either, and the revision stays.

        Raises:
            IdentityNotFound: no such identity, and `identity.create` is not set.
            InvalidField: what is no id, a template id that is taken, or an embedding of another
                dimension or not of unit length.
            RequestIdReused: the id belongs to a request with another fingerprint.
        """
        ...

    def export_records(
        self, gallery_id: str
    ) -> tuple[GalleryInfo, Generator[GalleryRecord, None, None]]:
        """The gallery at one moment: each identity (in order of id), followed by its templates.

        The iterator holds a read transaction until it is exhausted or closed: a slow reader
        makes the storage's file grow. Close it. Where the storage must move under it, which is
        rare, the iterator raises StorageBusy: start the export again.
        """
        ...

    def import_records(
        self, gallery_id: str, model_contract_id: str, records: Iterable[GalleryRecord]
    ) -> ImportCounts:
        """Adds exported records, committing in parts of bounded size.

        Identities that exist keep their display name; templates whose id exists are skipped. What
        came before a record at fault is kept.

        Raises:
            ModelContractMismatch: the records were made under another contract.
            OutOfOrder: a template that does not follow its identity.
            InvalidField: what is no id, an embedding of another dimension, or not of unit length.
        """
        ...

    def close(self) -> None:
        """Releases the storage. No other call may be under way or follow."""
        ...
