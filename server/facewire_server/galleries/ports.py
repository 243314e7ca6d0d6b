"""The ports of a store of people: one for each kind of caller.

What holds for all of their methods:

* They are coroutines: a store that blocks, on memory or on the disk, owns the threads it needs.
* They may run concurrently. A write that returned is durable, and visible to the next call of every
  process. Every write to a gallery raises its revision.
* A cancelled read raises CancelledError. A cancelled write that has begun runs to its end, and the
  caller receives its outcome, and is cancelled at its next wait; one that has not begun is dropped, and nothing of it is written later.
* Composed and decomposed spellings of an identity's id (Unicode's NFC and NFD) are one id. A new
  identity is stored under the composed one; one that an earlier version stored keeps its spelling.
  What is returned is the stored spelling. Only a new id must be visible (`ids.checked_new_identity_id`).
* A `gallery_id` that no gallery has raises `GalleryNotFound`. A write that finds no room raises
  `GalleryFull` and has written nothing.
* A write that could not begin in time raises `StorageBusy` and has written nothing.
* What was stored is not believed: a record that cannot be parsed, or numbers that cannot be, raise `GalleryDamaged`.
  A gallery in which one call met damage is not searched or enrolled in by later ones.
* A storage whose file was cut short raises `StorageDamaged` from every call.
* `search`, `check_searchable`, `presence`, `check_enrollable`, `enroll`, `export_records` and `import_records`
  raise `ModelContractMismatch` if the gallery's templates were made under another model contract
  than this object's; reading and deleting stay possible.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.checkup import EnrolledPeople
from facewire_server.galleries.records import (
    AddedNegativeExample,
    Correction,
    DeletedIdentity,
    Enrollment,
    EnrollmentResult,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    NegativeExampleInfo,
    NewIdentity,
    NewNegativeExample,
    PersonName,
    PersonReference,
    Presence,
    SearchResult,
    StoreStatistics,
    TemplateInfo,
)
from facewire_server.types import Rgb

__all__ = [
    "Changing",
    "Corrections",
    "EnrolledReader",
    "Enrollments",
    "GalleryAdmin",
    "KeptCrops",
    "LiveEnrollments",
    "LiveSearch",
    "NegativeExamples",
    "People",
    "Search",
    "SearchedMeans",
]


class Search(Protocol):
    """The calls that a frame and a stream need."""

    async def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        """Finds the k identities nearest to each probe, each by its best template.

        Those that the probe is nearer to a negative example of are returned, too, and do not count for k; the search ends before
        more than `MAX_PASSED_OVER` of them.
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

    async def check_searchable(self, gallery_id: str) -> None:
        """Raises what a search of this gallery would raise now."""
        ...


class SearchedMeans(Search, Protocol):
    """The calls of whoever says, besides, what was found."""

    async def mean_templates(self, gallery_id: str, template_id: str) -> tuple[str, ...]:
        """Returns the ids of the templates whose mean has this template as its oldest, in order of age.

        Args:
            gallery_id: the gallery.
            template_id: of a candidate.

        Returns:
            Empty if there is no such mean any more.
        """
        ...


class Changing(Protocol):
    """The call of whoever keeps something for as long as no gallery changes."""

    def change_count(self) -> int:
        """Returns a number that another write, of any process, has raised; microseconds, without waiting.

        It may differ from the last one without a write; then what was kept is merely read again.
        """
        ...


class LiveSearch(Search, Changing, Protocol):
    """The calls of a stream, whose decisions last for longer than a frame."""

    async def presence(self, gallery_id: str, identity_ids: Collection[str] = ()) -> Presence:
        """Returns the gallery's revision, and which of these identities it lacks.

        Args:
            gallery_id: the gallery.
            identity_ids: as a search returned them.
        """
        ...


class People(Changing, Protocol):
    """The calls of a journal, which keeps references in place of names."""

    async def references(
        self, gallery_id: str, identity_ids: Collection[str]
    ) -> Mapping[str, PersonReference]:
        """Returns the reference of each identity; without those that do not exist, all of them if the gallery does not."""
        ...

    async def names(
        self, references: Collection[PersonReference]
    ) -> Mapping[PersonReference, PersonName]:
        """Returns who the references stand for now; without those of people who were deleted."""
        ...


class Enrollments(Search, Protocol):
    """The calls that an enrollment needs."""

    async def remembered_enrollment(
        self, gallery_id: str, request_id: str, fingerprint: bytes
    ) -> Enrollment | None:
        """Returns the result of the earlier request of this id, or None.

        Raises:
            RequestIdReused: the id belongs to a request with another fingerprint.
        """
        ...

    async def check_enrollable(self, gallery_id: str, identity: NewIdentity) -> None:
        """Raises what `enroll` would raise for this gallery and identity now.

        Raises:
            IdentityNotFound: no such identity, and `identity.create` is not set.
            InvalidField: the identity is to be made, and its id is not valid.
        """
        ...

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        results: Sequence[EnrollmentResult],
        embeddings: NDArray[np.float32],
        *,
        source: str = "",
        request_id: str = "",
        fingerprint: bytes = b"",
        crops: Rgb | None = None,
    ) -> Enrollment:
        """Commits the accepted pictures of one enrollment together.

        Args:
            gallery_id: the gallery.
            identity: the person whose templates they are.
            results: one a picture; those with a `template_id` are stored.
            embeddings: (m, d) float32 unit rows, one for each result with a `template_id`, in order.
            source: kept with each template.
            request_id: remembers the result under this name; "" = not. The last 10,000 of a gallery are kept.
            fingerprint: distinguishes this request from another one that uses the same id.
            crops: (m, 112, 112, 3) uint8 RGB, the aligned crop of each embedding; kept with the templates, encrypted, if this
                object keeps crops, else not used.

        Returns:
            The enrollment; for a request id seen before, the earlier one, and nothing is written.
            Without any accepted picture nothing is written either, and the revision stays.

        Raises:
            IdentityNotFound: no such identity, and `identity.create` is not set.
            InvalidField: an id is not valid, a template id is taken, or an embedding is of another
                dimension or not of unit length.
            RequestIdReused: the id belongs to a request with another fingerprint.
        """
        ...


class EnrolledReader(Protocol):
    """The call of whoever examines a gallery."""

    async def enrolled_people(
        self, gallery_id: str, most: int
    ) -> tuple[GalleryInfo, EnrolledPeople | None]:
        """Copies what the people of a gallery are searched by, of any model contract; None if it has more templates, or identities, than `most`."""
        ...


class KeptCrops(Protocol):
    """The call of whoever embeds again what was enrolled."""

    async def kept_crop(self, gallery_id: str, template_id: str) -> Rgb | None:
        """Returns the aligned crop that a template was made of, (112, 112, 3) uint8 RGB; None if it was not kept.

        It goes in the same write as its template, is in no list and in no export, and can be read under any model contract.

        Raises:
            TemplateNotFound: no such template.
            GalleryDamaged: it is not what was written for this template.
        """
        ...


class GalleryAdmin(Protocol):
    """The calls that managing galleries needs."""

    async def statistics(self) -> StoreStatistics:
        """Returns the sizes of the store and its galleries; cheap enough to call every second."""
        ...

    async def create_gallery(self, gallery_id: str, display_name: str) -> GalleryInfo:
        """Makes an empty gallery; raises GalleryExists, and InvalidField for an id that is not valid.

        Its display name is its id if `display_name` is "".
        Its revisions lie above those of any gallery deleted before.
        """
        ...

    async def get_gallery(self, gallery_id: str) -> GalleryInfo:
        """Reads a gallery."""
        ...

    async def list_galleries(self, after: str, limit: int) -> list[GalleryInfo]:
        """Returns at most `limit` galleries with an id above `after` ("" = all), in order of id."""
        ...

    async def delete_gallery(self, gallery_id: str) -> int:
        """Deletes a gallery with all in it; returns its last revision.

        "default" is emptied and stays, and takes this object's model contract.
        """
        ...

    async def create_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """Adds an identity without templates; returns it and the revision.

        Its display name is its id if `display_name` is "".

        Raises:
            IdentityExists: there is one of this id.
            InvalidField: the id is not valid.
        """
        ...

    async def get_identity(self, gallery_id: str, identity_id: str) -> IdentityInfo:
        """Reads an identity; raises IdentityNotFound."""
        ...

    async def list_identities(self, gallery_id: str, after: str, limit: int) -> list[IdentityInfo]:
        """Returns at most `limit` identities whose id's UTF-8 bytes lie above `after`'s, in that order."""
        ...

    async def update_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        """Changes the display name; returns the identity and the revision; raises IdentityNotFound."""
        ...

    async def delete_identity(self, gallery_id: str, identity_id: str) -> DeletedIdentity:
        """Deletes an identity, its templates, its negative examples and its remembered enrollments; raises IdentityNotFound."""
        ...

    async def list_templates(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[TemplateInfo]:
        """Returns at most `limit` templates of an identity, oldest first, those enrolled after template `after`.

        Raises:
            IdentityNotFound: no such identity.
            TemplateNotFound: `after` is not (or no longer) a template of it.
        """
        ...

    async def get_template(self, gallery_id: str, template_id: str) -> TemplateInfo:
        """Reads one template, whosever it is; raises TemplateNotFound."""
        ...

    async def delete_template(self, gallery_id: str, template_id: str) -> tuple[int, int]:
        """Deletes one template.

        Returns:
            The template's number, which no other one in the gallery ever has, and the revision.

        Raises:
            TemplateNotFound: no such template.
        """
        ...

    def export_records(
        self, gallery_id: str
    ) -> AbstractAsyncContextManager[tuple[GalleryInfo, AsyncIterator[GalleryRecord]]]:
        """Opens the gallery at one moment: each identity (in order of id), followed by its templates and its negative examples.

        The storage is held at that moment until the block ends: a slow reader makes its file grow.
        If the storage must move during the export, which is rare, the iterator raises StorageBusy:
        start the export again.
        """
        ...

    async def import_records(
        self,
        gallery_id: str,
        model_contract_id: str,
        records: AsyncIterator[GalleryRecord],
        *,
        committed: Callable[[ImportCounts], None] = lambda counts: None,
    ) -> ImportCounts:
        """Adds exported records, committing in parts of bounded size (see `transfer`).

        Identities that exist keep their display name; two that are spellings of one id become one, with the
        templates of both. Ids that a new identity could not have are imported nevertheless. Templates and negative examples whose id exists
        are skipped. If a record is at fault, its part is not written; the parts before it stay. Nothing is read if the gallery or
        the model contract is at fault.

        Args:
            gallery_id: the gallery.
            model_contract_id: under which the records were made.
            records: of an export.
            committed: called with the counts of each part after its commit.

        Raises:
            ModelContractMismatch: the records were made under another contract.
            OutOfOrder: a template or negative example that does not follow its identity.
            GalleryFull: an identity would have more than `MAX_NEGATIVE_EXAMPLES`, or there is no room.
            InvalidField: an id is not valid, or an embedding is of another dimension or not of unit length.
        """
        ...


class Corrections(Protocol):
    """The calls of whoever sees that identities and people do not agree."""

    async def merge_identities(
        self, gallery_id: str, identity_id: str, merged_identity_id: str
    ) -> Correction:
        """Makes two identities one: the templates and negative examples of `merged_identity_id` become the other's, and it is deleted.

        Its templates keep their ids and crops, and its remembered enrollments are the other's. `People.names` of a
        reference to it is the other's name. The other one keeps its id, name and time.

        Raises:
            IdentityNotFound: one of them does not exist.
            InvalidField: they are the same.
            GalleryFull: together they have more than `MAX_NEGATIVE_EXAMPLES`.
            CropKeyMissing: crops are kept, and this object has no key.
        """
        ...

    async def split_identity(
        self,
        gallery_id: str,
        identity_id: str,
        template_ids: Sequence[str],
        new_identity_id: str,
        display_name: str,
    ) -> Correction:
        """Makes a new identity of some templates of another one, which stays, even without any.

        References to the other one still stand for it. An enrollment is remembered for the new identity if all its
        templates were moved. The display name of the new identity is its id if `display_name` is "".

        Raises:
            IdentityNotFound: no such identity.
            TemplateNotFound: one of the templates is not its.
            IdentityExists: there is one of the new id.
            InvalidField: the new id is not valid.
            CropKeyMissing: crops are kept, and this object has no key.
        """
        ...


class NegativeExamples(Protocol):
    """The calls of whoever sees that a face was taken for a person and is not this person."""

    async def negative_example_of_request(
        self, gallery_id: str, identity_id: str, request_id: str, fingerprint: bytes
    ) -> AddedNegativeExample | None:
        """Returns the example that an earlier request of this id added to the identity, or None; then `add_negative_example` is next.

        Raises:
            IdentityNotFound: no such identity.
            RequestIdReused: the id belongs to a request with another fingerprint.
            GalleryFull: the identity has `MAX_NEGATIVE_EXAMPLES`, and none of them is of this request.
        """
        ...

    async def add_negative_example(
        self, gallery_id: str, example: NewNegativeExample, embedding: NDArray[np.float32]
    ) -> AddedNegativeExample:
        """Keeps a face as a negative example of an identity: `search` returns its similarity with the identity from now on.

        Args:
            gallery_id: the gallery.
            example: the face, and who it is not.
            embedding: (d,) float32 of unit length.

        Returns:
            The example; for a request id seen before, the earlier one, and nothing is written.

        Raises:
            InvalidField: the example's id is not valid, or is taken; the embedding is of another dimension or not of unit length.
            IdentityNotFound, RequestIdReused, GalleryFull: as above.
        """
        ...

    async def list_negative_examples(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[NegativeExampleInfo]:
        """Returns at most `limit` negative examples of an identity, oldest first, those added after negative example `after`.

        Raises:
            IdentityNotFound: no such identity.
            NegativeExampleNotFound: `after` is not (or no longer) one of it.
        """
        ...

    async def delete_negative_example(
        self, gallery_id: str, negative_example_id: str
    ) -> tuple[int, int]:
        """Deletes a negative example, whosever it is.

        Returns:
            Its number, which no template and no negative example of the gallery has twice, and the revision.

        Raises:
            NegativeExampleNotFound: no such negative example.
        """
        ...


class LiveEnrollments(Enrollments, LiveSearch, SearchedMeans, Protocol):
    """The calls of the line: of streams, single pictures and enrollments."""
