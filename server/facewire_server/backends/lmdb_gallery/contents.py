"""One gallery in one transaction: its record, and what is in it, to read."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.block_checks import BlockChecks, means_of
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout, Blocks, row_owner
from facewire_server.backends.lmdb_gallery.gallery_tables import gallery_prefix
from facewire_server.backends.lmdb_gallery.means import is_oldest_of_mean
from facewire_server.backends.lmdb_gallery.negative_examples import NegativeExamples
from facewire_server.backends.lmdb_gallery.projection import pairs_of
from facewire_server.backends.lmdb_gallery.quality_records import quality_of
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery, Identity, Template
from facewire_server.backends.lmdb_storage.tables import Table, Transaction, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.errors import (
    GalleryNotFound,
    IdentityNotFound,
    ModelContractMismatch,
    TemplateNotFound,
)
from facewire_server.galleries.ids import (
    MAX_IDENTITY_ID_BYTES,
    checked_new_identity_id,
    is_gallery_id,
    is_identity_id,
    is_template_id,
    spellings,
)
from facewire_server.galleries.records import (
    MAX_PASSED_OVER,
    ExportedTemplate,
    GalleryInfo,
    IdentityInfo,
    NewIdentity,
    TemplateInfo,
)
from facewire_server.galleries.vector_search import Hit, RowOwner
from facewire_server.types import Candidate

__all__ = ["Contents", "find_gallery", "gallery_info"]


def find_gallery(transaction: Transaction, gallery_id: str) -> Gallery:
    """Returns the record of a gallery; raises GalleryNotFound."""
    value = None
    if is_gallery_id(gallery_id):
        value = transaction.table("galleries").get(gallery_id.encode())
    if value is None:
        raise GalleryNotFound("no such gallery")
    return Gallery.FromString(value)


def gallery_info(gallery_id: str, record: Gallery) -> GalleryInfo:
    """Converts a gallery's record to the port's value."""
    return GalleryInfo(
        gallery_id=gallery_id,
        display_name=record.display_name,
        revision=record.revision,
        identity_count=record.identity_count,
        template_count=record.template_count,
        model_contract_id=record.model_contract_id,
        created_at_us=record.created_at_us,
        pending_purge_count=record.pending_purge_count,
        pairs=pairs_of(record),
        negative_example_count=record.negative_example_count,
    )


def _identity_info(identity_id: str, record: Identity) -> IdentityInfo:
    return IdentityInfo(
        identity_id,
        record.display_name,
        record.template_count,
        record.created_at_us,
        record.negative_example_count,
    )


def _template_info(identity_id: str, record: Template) -> TemplateInfo:
    return TemplateInfo(
        template_id=record.template_id.hex(),
        identity_id=identity_id,
        quality=quality_of(record.quality),
        detection_score=record.detection_score,
        created_at_us=record.created_at_us,
        source=record.source,
    )


class Contents:
    """A gallery's record and tables in one transaction."""

    def __init__(
        self, transaction: Transaction, gallery_id: str, checks: BlockChecks | None = None
    ) -> None:
        """Finds the gallery.

        Args:
            transaction: where.
            gallery_id: which.
            checks: what is known of the blocks, for whoever reads vectors; None for a storage of format 1.

        Raises:
            GalleryNotFound: there is none.
        """
        self.gallery_id = gallery_id
        self._transaction = transaction
        self._checks = checks
        self.record = find_gallery(transaction, gallery_id)
        prefix = gallery_prefix(gallery_id)
        self.identity_table = transaction.table("identities", prefix)
        self.identity_id_table = transaction.table("identity_ids", prefix)
        self.template_table = transaction.table("templates", prefix)
        self.template_key_table = transaction.table("template_keys", prefix)
        self.block_table = transaction.table("blocks", prefix)

    @property
    def info(self) -> GalleryInfo:
        """The gallery as the port's value."""
        return gallery_info(self.gallery_id, self.record)

    @property
    def layout(self) -> BlockLayout:
        """The layout of its blocks; raises GalleryDamaged if there can be none."""
        if not (self.record.dimension and self.record.rows_per_block):
            raise damaged("a gallery's record is not one")
        return BlockLayout(self.record.dimension, self.record.rows_per_block)

    @cached_property
    def negative_examples(self) -> NegativeExamples:
        """Who its people are not; a storage of an earlier format lacks the tables."""
        return NegativeExamples(self._transaction, self.gallery_id, self.record)

    @property
    def mean_table(self) -> Table:
        """The blocks of its people's means, which a storage of an earlier format lacks."""
        return self._transaction.table("means", gallery_prefix(self.gallery_id))

    @property
    def means(self) -> Blocks:
        """What its people are searched by."""
        return Blocks(
            self.mean_table,
            self.layout,
            self.record.mean_count,
            self.gallery_id,
            self.record.revision,
            self._checks,
            means_of(self.gallery_id),
        )

    @property
    def blocks(self) -> Blocks:
        """The vectors of its templates."""
        return Blocks(
            self.block_table,
            self.layout,
            self.record.template_count,
            self.gallery_id,
            self.record.revision,
            self._checks,
        )

    def require_model_contract(self, model_contract_id: str) -> Self:
        """Returns self; raises ModelContractMismatch if its templates were made under another contract."""
        if self.record.model_contract_id != model_contract_id:
            raise ModelContractMismatch("the gallery was made with another model")
        return self

    def stored_id(self, identity_id: str) -> str:
        """Returns the spelling of an id that an identity is stored under; the id itself if none is."""
        found = (one for one in spellings(identity_id) if self.find_identity(one) is not None)
        return next(found, identity_id)

    def find_identity(self, identity_id: str) -> Identity | None:
        """Returns the record of an identity stored under this spelling, or None."""
        if not is_identity_id(identity_id):
            return None
        value = self.identity_table.get(identity_id.encode())
        return None if value is None else Identity.FromString(value)

    def identity(self, identity_id: str) -> Identity:
        """Returns the record of an identity stored under this spelling; raises IdentityNotFound."""
        record = self.find_identity(identity_id)
        if record is None:
            raise IdentityNotFound("no such identity in the gallery")
        return record

    def enrollable_identity(self, identity: NewIdentity) -> tuple[str, Identity | None]:
        """Returns id and record of an identity to enroll; no record if the enrollment is to make it.

        Raises:
            IdentityNotFound: no such identity, and it is not to be made.
            InvalidField: it is to be made, and its id is not valid.
        """
        identity_id = self.stored_id(identity.identity_id)
        if not identity.create:
            return identity_id, self.identity(identity_id)
        record = self.find_identity(identity_id)
        return identity_id if record else checked_new_identity_id(identity_id), record

    def identity_info(self, identity_id: str) -> IdentityInfo:
        """Reads an identity stored under this spelling; raises IdentityNotFound."""
        return _identity_info(identity_id, self.identity(identity_id))

    def identities(self, after: str) -> Iterator[IdentityInfo]:
        """Yields the identities whose ids' bytes lie above `after`'s, in that order."""
        # No id is longer than the longest valid one, so cutting `after` to that length changes no comparison.
        above = after.encode()[: MAX_IDENTITY_ID_BYTES + 1]
        for key, value in self.identity_table.scan(after=above):
            yield _identity_info(key.decode(), Identity.FromString(value))

    def template_key(self, template_id: str) -> bytes:
        """Returns the key of a template's record; raises TemplateNotFound."""
        value = None
        if is_template_id(template_id):
            value = self.template_key_table.get(bytes.fromhex(template_id))
        if value is None:
            raise TemplateNotFound("no such template in the gallery")
        return value

    def template(self, key: bytes) -> Template:
        """Returns the template's record under this key."""
        value = self.template_table.get(key)
        if value is None:
            raise damaged("a template is missing")
        return Template.FromString(value)

    def mean_templates(self, key: bytes) -> Iterator[str]:
        """Yields the ids of the templates whose mean has the number of the template with this key, oldest first."""
        owner = row_owner(key)
        for _, value in self.template_table.scan(number_key(owner.identity_number)):
            record = Template.FromString(value)
            if record.mean_number == owner.template_number:
                yield record.template_id.hex()

    def templates(self, identity_id: str, after: str) -> Iterator[TemplateInfo]:
        """Yields the templates of an identity stored under this spelling, enrolled after template `after`, oldest first.

        Raises:
            IdentityNotFound: no such identity.
            TemplateNotFound: `after` is not a template of the identity.
        """
        for _, record in self._templates(identity_id, after):
            yield _template_info(identity_id, record)

    def template_info(self, template_id: str) -> TemplateInfo:
        """Returns a template; raises TemplateNotFound."""
        key = self.template_key(template_id)
        return _template_info(self.owner_id(key), self.template(key))

    def exported_templates(self, identity_id: str, after: str) -> Iterator[ExportedTemplate]:
        """Yields the same with their embeddings, each a copy."""
        blocks = self.blocks
        for owner, record in self._templates(identity_id, after):
            (embedding,) = blocks.rows([(record.row, owner)])
            yield ExportedTemplate(_template_info(identity_id, record), embedding)

    def _templates(self, identity_id: str, after: str) -> Iterator[tuple[RowOwner, Template]]:
        start = number_key(self.identity(identity_id).number)
        above = self.template_key(after) if after else b""
        if not above.startswith(start) and after:
            raise TemplateNotFound("no such template of the identity")
        for key, value in self.template_table.scan(start, after=above):
            yield row_owner(key), Template.FromString(value)

    def candidates(
        self, best: Mapping[int, Hit], k: int, probe: NDArray[np.float32]
    ) -> tuple[Candidate, ...]:
        """Returns the k best hits, best first; of equal ones, the lower identity id first.

        Those that the probe is nearer to a negative example of are returned, too, and do not count; one after `MAX_PASSED_OVER` of them
        is the end, so that it does not matter how many hits there are for other searches' sake.

        Raises:
            GalleryDamaged: identity, template and row of a hit contradict each other.
        """
        order = sorted((-hit.similarity, self._identity_id(n), n) for n, hit in best.items())
        found: list[Candidate] = []
        left = MAX_PASSED_OVER
        for _, identity_id, number in order:
            if not k:
                break
            candidate = self._candidate(identity_id, number, best[number], probe)
            if candidate.is_nearer_to_negative_example:
                left -= 1
            else:
                k -= 1
            if left < 0:
                break
            found.append(candidate)
        return tuple(found)

    def similarity(self, identity_number: int, probe: NDArray[np.float32]) -> float:
        """Returns the similarity of a probe to an identity, as a search has it; 0 without a template."""
        places = [
            (record.mean_row, row_owner(key))
            for key, record in (
                (key, Template.FromString(value))
                for key, value in self.template_table.scan(number_key(identity_number))
            )
            if is_oldest_of_mean(key, record)
        ]
        if not places:
            return 0.0
        products = self.means.rows(places).astype(np.float64) @ probe
        return float(products.max().astype(np.float32))

    def _candidate(
        self, identity_id: bytes, number: int, hit: Hit, probe: NDArray[np.float32]
    ) -> Candidate:
        identity = Identity.FromString(self.identity_table.get(identity_id) or b"")
        if identity.number != number:
            raise damaged("an identity is missing")
        template = self.template(number_key(number, hit.template_number))
        # A name is given for its person's mean, not for a row that merely says it is the person's.
        if (template.mean_number, template.mean_row) != (hit.template_number, hit.row):
            raise damaged("a row is not its mean's")
        return Candidate(
            identity_id=identity_id.decode(),
            display_name=identity.display_name,
            similarity=hit.similarity,
            template_id=template.template_id.hex(),
            negative_example_similarity=self.negative_examples.similarity(identity, probe),
        )

    def owner_id(self, template_key: bytes) -> str:
        """Returns the id of the identity that a template of this key belongs to; raises GalleryDamaged if there is none."""
        return self._identity_id(row_owner(template_key).identity_number).decode()

    def _identity_id(self, number: int) -> bytes:
        value = self.identity_id_table.get(number_key(number))
        if value is None:
            raise damaged("an identity is missing")
        return value
