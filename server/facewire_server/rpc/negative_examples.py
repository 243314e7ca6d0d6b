"""The calls of the gallery service about faces that were taken for a person and are not this person."""

from typing import Any

from facewire.v1 import gallery_pb2
from facewire_server.galleries.ids import checked_identity_id, checked_template_id
from facewire_server.galleries.ports import NegativeExamples
from facewire_server.pipeline.negative import NegativeExampleMaker
from facewire_server.rpc import convert_gallery as convert
from facewire_server.rpc.audit import Audit
from facewire_server.rpc.checks import (
    checked_page_size,
    gallery_id_or_default,
    page_after,
    page_of,
)
from facewire_server.rpc.convert import detection_options, face_selection, picture
from facewire_server.rpc.options import RequestDefaults
from facewire_server.types import FaceSelection

__all__ = ["NegativeExampleCalls"]


class NegativeExampleCalls:
    """Translates the requests; their protos say what each does."""

    def __init__(
        self,
        galleries: NegativeExamples,
        maker: NegativeExampleMaker,
        defaults: RequestDefaults,
        audit: Audit,
    ) -> None:
        """Joins them.

        Args:
            galleries: keep the examples.
            maker: makes one of a picture.
            defaults: options of a request that leaves them unset.
            audit: keeps who changed what.
        """
        self._galleries = galleries
        self._maker = maker
        self._defaults = defaults
        self._audit = audit

    async def add(
        self, request: gallery_pb2.AddNegativeExampleRequest, context: Any
    ) -> gallery_pb2.AddNegativeExampleResponse:
        """Says that a face is not this person."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        identity_id = checked_identity_id(request.identity_id)
        image = picture(request.image, "image")
        selection = face_selection(request.selection, FaceSelection.ONLY)
        detection = detection_options(request.detection, self._defaults.picture)
        source, request_id = convert.source(request.source), convert.request_id(request.request_id)
        added = await self._maker.add(
            gallery_id,
            identity_id,
            image,
            selection,
            detection,
            source=source,
            request_id=request_id,
        )
        if added.is_new:
            await self._audit.changed(
                context,
                "add_negative_example",
                gallery_id,
                added.revision,
                1,
                identity_id=added.info.identity_id,
                negative_example_count=1,
            )
        return convert.added_negative_example_message(added, self._defaults.decision)

    async def page(
        self, request: gallery_pb2.ListNegativeExamplesRequest
    ) -> gallery_pb2.ListNegativeExamplesResponse:
        """Lists the negative examples of an identity, oldest first."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        identity_id = checked_identity_id(request.identity_id)
        size, after = checked_page_size(request.page_size), page_after(request.page_token)
        found = await self._galleries.list_negative_examples(
            gallery_id, identity_id, after, size + 1
        )
        page, token = page_of(found, size, lambda info: info.negative_example_id)
        return gallery_pb2.ListNegativeExamplesResponse(
            negative_examples=map(convert.negative_example_message, page), next_page_token=token
        )

    async def delete(
        self, request: gallery_pb2.DeleteNegativeExampleRequest, context: Any
    ) -> gallery_pb2.DeleteNegativeExampleResponse:
        """Deletes a negative example."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        example_id = checked_template_id(request.negative_example_id, "negative_example_id")
        number, revision = await self._galleries.delete_negative_example(gallery_id, example_id)
        await self._audit.changed(
            context,
            "delete_negative_example",
            gallery_id,
            revision,
            template=number,
            negative_example_count=1,
        )
        return gallery_pb2.DeleteNegativeExampleResponse(revision=revision)
