"""Splits an import into checked parts of bounded size, each written in one transaction."""

from collections.abc import AsyncGenerator, AsyncIterator

from facewire_server.errors import OutOfOrder
from facewire_server.galleries.embeddings import checked_embeddings
from facewire_server.galleries.ids import checked_identity_id, checked_template_id
from facewire_server.galleries.records import (
    ExportedNegativeExample,
    ExportedTemplate,
    GalleryRecord,
    IdentityInfo,
)

__all__ = ["checked_parts"]

_PART_RECORDS = 2048
"""Most records of a part; a part costs one commit, hence one wait for the disk, and one comparison of the sampled people. Measured with
one template a person of 128 numbers: a third less processor time than with 512; other writes wait about 70 ms."""


async def checked_parts(
    records: AsyncIterator[GalleryRecord], dimension: int
) -> AsyncGenerator[list[GalleryRecord], None]:
    """Yields the records in parts, each of which begins with an identity.

    An identity whose templates and negative examples do not fit its part is repeated at the start of the next one: it
    may have been deleted in between; if it still exists, repeating it changes nothing.

    Raises:
        OutOfOrder: a template or negative example that does not follow its identity.
        InvalidField: an id is not valid, or an embedding is of another dimension or not of unit length.
    """
    identity: IdentityInfo | None = None
    part: list[GalleryRecord] = []
    async for record in records:
        if isinstance(record, IdentityInfo):
            checked_identity_id(record.identity_id)
            identity = record
        else:
            owner = _owner(record, identity, dimension)
            if not part:
                part.append(owner)
        part.append(record)
        if len(part) >= _PART_RECORDS:
            yield part
            part = []
    if part:
        yield part


def _owner(
    record: ExportedTemplate | ExportedNegativeExample,
    identity: IdentityInfo | None,
    dimension: int,
) -> IdentityInfo:
    if identity is None or record.info.identity_id != identity.identity_id:
        raise OutOfOrder("a template or negative example does not follow its identity")
    if isinstance(record, ExportedTemplate):
        checked_template_id(record.info.template_id)
    else:
        checked_template_id(record.info.negative_example_id, "negative_example_id")
    checked_embeddings(record.embedding[None], dimension)
    return identity
