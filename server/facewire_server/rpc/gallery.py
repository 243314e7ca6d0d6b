"""The gallery service: translate, call, translate."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.access.audit_trail import Trail
from facewire_server.access.caller import allowed_galleries
from facewire_server.errors import (
    GalleryDamaged,
    GalleryNotFound,
    InvalidField,
    OutOfOrder,
)
from facewire_server.events import Emit, ignore
from facewire_server.galleries.examining import Examiner
from facewire_server.galleries.ids import checked_identity_id, checked_template_id
from facewire_server.galleries.ports import Corrections, GalleryAdmin, NegativeExamples, People
from facewire_server.galleries.records import ExportedTemplate, GalleryInfo, GalleryRecord
from facewire_server.pipeline.enroll import Enroller
from facewire_server.pipeline.negative import NegativeExampleMaker
from facewire_server.rpc import convert_gallery as convert
from facewire_server.rpc.audit import Audit
from facewire_server.rpc.checks import (
    checked_page_size,
    gallery_id_or_default,
    page_after,
    page_of,
)
from facewire_server.rpc.convert import detection_options, face_selection
from facewire_server.rpc.convert_checkup import checked_max_findings, checkup_message
from facewire_server.rpc.convert_transfer import (
    export_header_message,
    export_message,
    import_header,
    import_message,
    import_record,
)
from facewire_server.rpc.corrections import CorrectionCalls
from facewire_server.rpc.incoming import incoming
from facewire_server.rpc.negative_examples import NegativeExampleCalls
from facewire_server.rpc.options import RequestDefaults
from facewire_server.rpc.unknown import UnknownCalls
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.unknown import UnknownPeople
from facewire_server.types import FaceSelection
from facewire_server.work.within import read_within

__all__ = ["GalleryServicer"]

_EXPORT_S = 3600.0
"""Most seconds of a whole export, however fast the client reads: its transaction keeps LMDB from reusing pages.
Chosen, not measured."""


class ManagedGalleries(GalleryAdmin, Corrections, NegativeExamples, People, Protocol):
    """The galleries managed, and the references to people that an audit keeps."""


class GalleryServicer(gallery_pb2_grpc.GalleryServiceServicer):
    """`facewire.v1.GalleryService`; its protos say what each method does."""

    def __init__(
        self,
        galleries: ManagedGalleries,
        enroller: Enroller,
        negatives: NegativeExampleMaker,
        *,
        limits: ServingLimits,
        defaults: RequestDefaults,
        dimension: int,
        trail: Trail,
        examiner: Examiner,
        purge: Callable[[str], Awaitable[int]],
        unknown: UnknownPeople,
        emit: Emit = ignore,
    ) -> None:
        """Joins the service to the gallery and the line.

        Args:
            galleries: the galleries managed.
            enroller: makes templates from pictures.
            negatives: makes negative examples from pictures.
            limits: what a client may ask for.
            defaults: options of a request that leaves them unset.
            dimension: length of an embedding, stated in exports.
            trail: keeps who changed and exported what.
            examiner: finds what in a gallery harms its recognition.
            purge: takes the caller's address, keeps what it erases, and returns when nothing that was deleted before is in a file: the
                number of deletions that were erased.
            unknown: the people whom the galleries do not know.
            emit: takes the changes of galleries, and exports.
        """
        self._galleries = galleries
        self._enroller = enroller
        self._limits = limits
        self._defaults = defaults
        self._dimension = dimension
        self._examiner = examiner
        self._purge = purge
        self._audit = Audit(emit, trail, galleries)
        self._unknown = unknown
        self._unknown_calls = UnknownCalls(unknown, enroller, defaults, self._audit)
        self._corrections = CorrectionCalls(galleries, unknown, self._audit)
        self._negative_calls = NegativeExampleCalls(galleries, negatives, defaults, self._audit)

    async def CreateGallery(
        self, request: gallery_pb2.CreateGalleryRequest, context: Any
    ) -> gallery_pb2.CreateGalleryResponse:
        """Makes an empty gallery."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        display_name = convert.display_name(request.display_name)
        info = await self._galleries.create_gallery(gallery_id, display_name)
        await self._audit.changed(context, "create_gallery", gallery_id, info.revision)
        return gallery_pb2.CreateGalleryResponse(gallery=self._gallery_message(info))

    async def GetGallery(
        self, request: gallery_pb2.GetGalleryRequest, context: Any
    ) -> gallery_pb2.GetGalleryResponse:
        """Returns a gallery's size, revision and model contract."""
        info = await self._galleries.get_gallery(gallery_id_or_default(request.gallery_id))
        return gallery_pb2.GetGalleryResponse(gallery=self._gallery_message(info))

    async def ListGalleries(
        self, request: gallery_pb2.ListGalleriesRequest, context: Any
    ) -> gallery_pb2.ListGalleriesResponse:
        """Lists galleries by id."""
        size, after = checked_page_size(request.page_size), page_after(request.page_token)
        found = await self._allowed_galleries(after, size + 1)
        page, token = page_of(found, size, lambda info: info.gallery_id)
        return gallery_pb2.ListGalleriesResponse(
            galleries=map(self._gallery_message, page), next_page_token=token
        )

    async def DeleteGallery(
        self, request: gallery_pb2.DeleteGalleryRequest, context: Any
    ) -> gallery_pb2.DeleteGalleryResponse:
        """Deletes a gallery with all identities in it."""
        if not request.gallery_id:
            raise InvalidField("gallery_id is required", field="gallery_id")
        gallery_id = gallery_id_or_default(request.gallery_id)
        try:  # for the event's counts
            held = await self._galleries.get_gallery(gallery_id)
            counts = held.identity_count, held.template_count
            negatives = held.negative_example_count
        except GalleryDamaged:  # what it holds is unknown; it can still be deleted
            counts = 0, 0
            negatives = 0
        revision = await self._galleries.delete_gallery(gallery_id)
        await self._unknown.forget_gallery(gallery_id)
        await self._audit.changed(
            context,
            "delete_gallery",
            gallery_id,
            revision,
            *counts,
            negative_example_count=negatives,
        )
        return gallery_pb2.DeleteGalleryResponse(revision=revision)

    async def CreateIdentity(
        self, request: gallery_pb2.CreateIdentityRequest, context: Any
    ) -> gallery_pb2.CreateIdentityResponse:
        """Adds an identity without templates."""
        gallery_id, identity_id = _identity_of(request)
        display_name = convert.display_name(request.display_name)
        info, revision = await self._galleries.create_identity(
            gallery_id, identity_id, display_name
        )
        await self._audit.changed(
            context, "create_identity", gallery_id, revision, 1, identity_id=info.identity_id
        )
        return gallery_pb2.CreateIdentityResponse(
            identity=convert.identity_message(info), revision=revision
        )

    async def GetIdentity(
        self, request: gallery_pb2.GetIdentityRequest, context: Any
    ) -> gallery_pb2.GetIdentityResponse:
        """Reads an identity."""
        info = await self._galleries.get_identity(*_identity_of(request))
        return gallery_pb2.GetIdentityResponse(identity=convert.identity_message(info))

    async def ListIdentities(
        self, request: gallery_pb2.ListIdentitiesRequest, context: Any
    ) -> gallery_pb2.ListIdentitiesResponse:
        """Lists identities by id."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        size, after = checked_page_size(request.page_size), page_after(request.page_token)
        found = await self._galleries.list_identities(gallery_id, after, size + 1)
        page, token = page_of(found, size, lambda info: info.identity_id)
        return gallery_pb2.ListIdentitiesResponse(
            identities=map(convert.identity_message, page), next_page_token=token
        )

    async def UpdateIdentity(
        self, request: gallery_pb2.UpdateIdentityRequest, context: Any
    ) -> gallery_pb2.UpdateIdentityResponse:
        """Changes an identity's display name."""
        gallery_id, identity_id = _identity_of(request)
        display_name = convert.display_name(request.display_name, required=True)
        info, revision = await self._galleries.update_identity(
            gallery_id, identity_id, display_name
        )
        await self._audit.changed(
            context, "update_identity", gallery_id, revision, 1, identity_id=info.identity_id
        )
        return gallery_pb2.UpdateIdentityResponse(
            identity=convert.identity_message(info), revision=revision
        )

    async def DeleteIdentity(
        self, request: gallery_pb2.DeleteIdentityRequest, context: Any
    ) -> gallery_pb2.DeleteIdentityResponse:
        """Deletes an identity with all its templates."""
        gallery_id, identity_id = _identity_of(request)
        await self._unknown.forget_enrolled()  # not recognized afterwards
        deleted, revision, record = await self._galleries.delete_identity(gallery_id, identity_id)
        await self._audit.changed(
            context, "delete_identity", gallery_id, revision, 1, deleted, record
        )
        return gallery_pb2.DeleteIdentityResponse(revision=revision, deleted_template_count=deleted)

    async def EnrollTemplates(
        self, request: gallery_pb2.EnrollTemplatesRequest, context: Any
    ) -> gallery_pb2.EnrollTemplatesResponse:
        """Enrolls pictures of one person."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        identity = convert.new_identity(request)
        pictures = convert.enrolled_pictures(request, self._limits.picture.max_frame_bytes)
        selection = face_selection(request.selection, FaceSelection.ONLY)
        detection = detection_options(request.detection, self._defaults.picture)
        source, request_id = convert.source(request.source), convert.request_id(request.request_id)
        enrollment = await self._enroller.enroll(
            gallery_id,
            identity,
            pictures,
            selection,
            detection,
            source=source,
            request_id=request_id,
        )
        if added := sum(bool(result.template_id) for result in enrollment.results):
            counts = 1, added
            await self._audit.changed(
                context,
                "enroll",
                gallery_id,
                enrollment.revision,
                *counts,
                identity_id=identity.identity_id,
            )
        return convert.enrollment_message(enrollment, self._defaults.decision)

    async def ListTemplates(
        self, request: gallery_pb2.ListTemplatesRequest, context: Any
    ) -> gallery_pb2.ListTemplatesResponse:
        """Lists the templates of an identity, oldest first."""
        size, after = checked_page_size(request.page_size), page_after(request.page_token)
        found = await self._galleries.list_templates(*_identity_of(request), after, size + 1)
        page, token = page_of(found, size, lambda info: info.template_id)
        return gallery_pb2.ListTemplatesResponse(
            templates=map(convert.template_message, page), next_page_token=token
        )

    async def DeleteTemplate(
        self, request: gallery_pb2.DeleteTemplateRequest, context: Any
    ) -> gallery_pb2.DeleteTemplateResponse:
        """Deletes one template."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        template_id = checked_template_id(request.template_id)
        await self._unknown.forget_enrolled()  # not recognized afterwards
        template, revision = await self._galleries.delete_template(gallery_id, template_id)
        await self._audit.changed(
            context, "delete_template", gallery_id, revision, 0, 1, template=template
        )
        return gallery_pb2.DeleteTemplateResponse(revision=revision)

    async def ExportGallery(self, request: gallery_pb2.ExportGalleryRequest, context: Any) -> None:
        """Streams a snapshot of a whole gallery."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        # Two limits: a whole export keeps pages of the storage from reuse; one write shows that the client does not read.
        async with (
            self._galleries.export_records(gallery_id) as (info, records),
            read_within(_EXPORT_S),
            self._audit.exporting(context, info) as note,
        ):
            header = export_header_message(info, self._dimension, self._defaults.decision)
            await self._write(context, header)
            async for record in records:
                note(record)
                await self._write(context, export_message(record))

    async def ImportGallery(
        self, request_iterator: Any, context: Any
    ) -> gallery_pb2.ImportGalleryResponse:
        """Adds the identities, templates and negative examples of an export to a gallery."""
        requests = incoming(request_iterator)
        first: gallery_pb2.ImportGalleryRequest | None = await anext(requests, None)
        if first is None:
            raise OutOfOrder("the import ended before its header")
        gallery_id = gallery_id_or_default(first.gallery_id)
        header = import_header(first.record)

        async def records() -> AsyncIterator[GalleryRecord]:
            async for request in requests:
                if request.gallery_id not in ("", first.gallery_id):
                    raise InvalidField(
                        "gallery_id belongs in the first message", field="gallery_id"
                    )
                record = import_record(request.record, header.dimension)
                yield record
                # Only now: whoever takes the next record has checked this one.
                if isinstance(record, ExportedTemplate):
                    so_far.poor_count += self._enroller.would_refuse(record)

        async with self._audit.importing(context, gallery_id) as so_far:
            counts = await self._galleries.import_records(
                gallery_id,
                header.gallery.model_contract_id,
                records(),
                committed=so_far.parts.append,
            )
        return import_message(counts, so_far.poor_count)

    async def PurgeDeleted(
        self, request: gallery_pb2.PurgeDeletedRequest, context: Any
    ) -> gallery_pb2.PurgeDeletedResponse:
        """Erases at once what was deleted."""
        count = await self._purge(context.peer())
        return gallery_pb2.PurgeDeletedResponse(rewritten=bool(count))

    async def ListUnknownPeople(
        self, request: gallery_pb2.ListUnknownPeopleRequest, context: Any
    ) -> gallery_pb2.ListUnknownPeopleResponse:
        """Lists the people whom the gallery does not know."""
        return await self._unknown_calls.page(request)

    async def GetUnknownPictures(
        self, request: gallery_pb2.GetUnknownPicturesRequest, context: Any
    ) -> gallery_pb2.GetUnknownPicturesResponse:
        """Returns the pictures of one of them."""
        return await self._unknown_calls.pictures(request)

    async def EnrollUnknown(
        self, request: gallery_pb2.EnrollUnknownRequest, context: Any
    ) -> gallery_pb2.EnrollUnknownResponse:
        """Enrolls one of them from their pictures."""
        return await self._unknown_calls.enroll(request, context)

    async def ForgetUnknown(
        self, request: gallery_pb2.ForgetUnknownRequest, context: Any
    ) -> gallery_pb2.ForgetUnknownResponse:
        """Erases one of them, or all."""
        return await self._unknown_calls.forget(request, context)

    async def GetTemplate(
        self, request: gallery_pb2.GetTemplateRequest, context: Any
    ) -> gallery_pb2.GetTemplateResponse:
        """Reads one template."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        info = await self._galleries.get_template(
            gallery_id, checked_template_id(request.template_id)
        )
        return gallery_pb2.GetTemplateResponse(template=convert.template_message(info))

    async def CheckGallery(
        self, request: gallery_pb2.CheckGalleryRequest, context: Any
    ) -> gallery_pb2.CheckGalleryResponse:
        """Finds what in a gallery harms its recognition."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        limit = checked_max_findings(request.max_findings)
        examined = await self._examiner.examine(gallery_id, limit)
        return checkup_message(examined, self._gallery_message(examined.info))

    async def MergeIdentities(
        self, request: gallery_pb2.MergeIdentitiesRequest, context: Any
    ) -> gallery_pb2.MergeIdentitiesResponse:
        """Makes two identities one."""
        return await self._corrections.merge(request, context)

    async def SplitIdentity(
        self, request: gallery_pb2.SplitIdentityRequest, context: Any
    ) -> gallery_pb2.SplitIdentityResponse:
        """Makes one identity two."""
        return await self._corrections.split(request, context)

    async def AddNegativeExample(
        self, request: gallery_pb2.AddNegativeExampleRequest, context: Any
    ) -> gallery_pb2.AddNegativeExampleResponse:
        """Says that a face is not this person."""
        return await self._negative_calls.add(request, context)

    async def ListNegativeExamples(
        self, request: gallery_pb2.ListNegativeExamplesRequest, context: Any
    ) -> gallery_pb2.ListNegativeExamplesResponse:
        """Lists the negative examples of an identity, oldest first."""
        return await self._negative_calls.page(request)

    async def DeleteNegativeExample(
        self, request: gallery_pb2.DeleteNegativeExampleRequest, context: Any
    ) -> gallery_pb2.DeleteNegativeExampleResponse:
        """Deletes a negative example."""
        return await self._negative_calls.delete(request, context)

    async def _allowed_galleries(self, after: str, limit: int) -> list[GalleryInfo]:
        """Returns the galleries of a page, of those that the caller may use."""
        allowed = allowed_galleries()
        if allowed is None:
            return await self._galleries.list_galleries(after, limit)
        found: list[GalleryInfo] = []
        for gallery_id in sorted(one for one in allowed if one > after):
            # A list is without the galleries whose record cannot be read.
            with suppress(GalleryNotFound, GalleryDamaged):
                found.append(await self._galleries.get_gallery(gallery_id))
            if len(found) == limit:
                break
        return found

    def _gallery_message(self, info: GalleryInfo) -> gallery_pb2.Gallery:
        return convert.gallery_message(info, self._defaults.decision)

    async def _write(self, context: Any, message: gallery_pb2.ExportGalleryResponse) -> None:
        async with read_within(self._limits.slow_reader_timeout_s):
            await context.write(message)


def _identity_of(request: Any) -> tuple[str, str]:
    return gallery_id_or_default(request.gallery_id), checked_identity_id(request.identity_id)
