"""The calls of the gallery service about identities that are one person, or two."""

from typing import Any, Final

from facewire.v1 import gallery_pb2
from facewire_server.errors import InvalidField
from facewire_server.events import GalleryAction
from facewire_server.galleries.ids import checked_identity_id, checked_template_id
from facewire_server.galleries.ports import Corrections
from facewire_server.galleries.records import Correction
from facewire_server.rpc import convert_gallery as convert
from facewire_server.rpc.audit import Audit
from facewire_server.rpc.checks import gallery_id_or_default
from facewire_server.streams.unknown import UnknownPeople

__all__ = ["CorrectionCalls"]

_MAX_TEMPLATES: Final = 1000
"""The contract's limit of SplitIdentity."""


class CorrectionCalls:
    """Translates the requests; their protos say what each does."""

    def __init__(self, galleries: Corrections, unknown: UnknownPeople, audit: Audit) -> None:
        """Joins them.

        Args:
            galleries: the galleries corrected.
            unknown: loses, before a correction, whoever is recognized; afterwards they may not be.
            audit: keeps who corrected what.
        """
        self._galleries = galleries
        self._unknown = unknown
        self._audit = audit

    async def merge(
        self, request: gallery_pb2.MergeIdentitiesRequest, context: Any
    ) -> gallery_pb2.MergeIdentitiesResponse:
        """Makes two identities one."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        identity_id = checked_identity_id(request.identity_id)
        merged_id = checked_identity_id(request.merged_identity_id, "merged_identity_id")
        # Before anything changes; other spellings of one id are refused by the store.
        if identity_id == merged_id:
            raise InvalidField(
                "an identity cannot be merged with itself", field="merged_identity_id"
            )
        await self._unknown.forget_enrolled()
        done = await self._galleries.merge_identities(gallery_id, identity_id, merged_id)
        await self._keep(context, "merge_identities", gallery_id, done)
        return gallery_pb2.MergeIdentitiesResponse(
            identity=convert.identity_message(done.identity),
            revision=done.revision,
            moved_template_count=done.moved_count,
        )

    async def split(
        self, request: gallery_pb2.SplitIdentityRequest, context: Any
    ) -> gallery_pb2.SplitIdentityResponse:
        """Makes one identity two."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        identity_id = checked_identity_id(request.identity_id)
        new_id = checked_identity_id(request.new_identity_id, "new_identity_id")
        template_ids = _template_ids(request)
        display_name = convert.display_name(request.display_name)
        await self._unknown.forget_enrolled()
        done = await self._galleries.split_identity(
            gallery_id, identity_id, template_ids, new_id, display_name
        )
        await self._keep(context, "split_identity", gallery_id, done)
        return gallery_pb2.SplitIdentityResponse(
            identity=convert.identity_message(done.identity), revision=done.revision
        )

    async def _keep(
        self, context: Any, action: GalleryAction, gallery_id: str, done: Correction
    ) -> None:
        await self._audit.changed(
            context,
            action,
            gallery_id,
            done.revision,
            2,
            done.moved_count,
            record=done.record,
            other_record=done.other_record,
        )


def _template_ids(request: gallery_pb2.SplitIdentityRequest) -> list[str]:
    if not 1 <= len(request.template_ids) <= _MAX_TEMPLATES:
        raise InvalidField(f"template_ids must be 1 to {_MAX_TEMPLATES}", field="template_ids")
    return [
        checked_template_id(one, f"template_ids[{row}]")
        for row, one in enumerate(request.template_ids)
    ]
