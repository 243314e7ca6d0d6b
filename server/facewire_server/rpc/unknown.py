"""The calls of the gallery service about unknown people: listed, looked at, named, erased."""

from contextlib import suppress
from typing import Any

from facewire.v1 import gallery_pb2
from facewire_server.access.audit_trail import to_the_end
from facewire_server.errors import InvalidField, StorageBusy, UnknownPersonNotFound
from facewire_server.pipeline.enroll import Enroller
from facewire_server.rpc import convert_gallery as convert
from facewire_server.rpc.audit import Audit
from facewire_server.rpc.checks import (
    checked_page_size,
    gallery_id_or_default,
    page_after,
    page_of,
)
from facewire_server.rpc.convert_unknown import (
    checked_unknown_id,
    page_key,
    pictures_message,
    unknown_person_message,
)
from facewire_server.rpc.options import RequestDefaults
from facewire_server.streams.unknown import UnknownPeople
from facewire_server.types import FaceSelection, Picture

__all__ = ["UnknownCalls"]


class UnknownCalls:
    """Translates the requests; their protos say what each does."""

    def __init__(
        self, unknown: UnknownPeople, enroller: Enroller, defaults: RequestDefaults, audit: Audit
    ) -> None:
        """Joins them.

        Args:
            unknown: the people.
            enroller: makes templates from their pictures.
            defaults: how faces are found in these, and when two people match.
            audit: keeps who named and erased people.
        """
        self._unknown = unknown
        self._enroller = enroller
        self._defaults = defaults
        self._audit = audit

    async def page(
        self, request: gallery_pb2.ListUnknownPeopleRequest
    ) -> gallery_pb2.ListUnknownPeopleResponse:
        """Returns a page of the unknown people of a gallery."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        size, after = checked_page_size(request.page_size), page_after(request.page_token)
        people = await self._unknown.of_gallery(gallery_id)
        page, token = page_of([one for one in people if page_key(one) > after], size, page_key)
        return gallery_pb2.ListUnknownPeopleResponse(
            people=map(unknown_person_message, page),
            next_page_token=token,
            total_count=len(people),
        )

    async def pictures(
        self, request: gallery_pb2.GetUnknownPicturesRequest
    ) -> gallery_pb2.GetUnknownPicturesResponse:
        """Returns the pictures of a person."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        unknown_id = checked_unknown_id(request.unknown_id)
        return pictures_message(await self._unknown.person(gallery_id, unknown_id))

    async def enroll(
        self, request: gallery_pb2.EnrollUnknownRequest, context: Any
    ) -> gallery_pb2.EnrollUnknownResponse:
        """Enrolls a person from their pictures, and erases the unknown one if a picture was accepted."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        unknown_id = checked_unknown_id(request.unknown_id)
        identity, source = convert.new_identity(request), convert.source(request.source)
        person = await self._unknown.person(gallery_id, unknown_id)
        pictures = [Picture(visit.picture.jpeg) for visit in person.pictures if visit.picture]
        if not pictures:
            raise UnknownPersonNotFound("no picture of this person is kept")
        enrollment = await self._enroller.enroll(
            gallery_id,
            identity,
            pictures,
            FaceSelection.ONLY,
            self._defaults.picture,
            source=source,
        )
        if added := sum(bool(result.template_id) for result in enrollment.results):
            # First: a caller who has left is cancelled at the next wait, and only this one comes to its end.
            await self._audit.changed(
                context,
                "enroll_unknown",
                gallery_id,
                enrollment.revision,
                1,
                added,
                identity_id=identity.identity_id,
            )
            # What cannot be erased now is erased once the gallery is found to know the person.
            with suppress(UnknownPersonNotFound, StorageBusy):
                await self._unknown.forget(gallery_id, unknown_id)
        message = convert.enrollment_message(enrollment, self._defaults.decision)
        return gallery_pb2.EnrollUnknownResponse(
            results=message.results,
            revision=message.revision,
            threshold=message.threshold,
            threshold_source=message.threshold_source,
        )

    async def forget(
        self, request: gallery_pb2.ForgetUnknownRequest, context: Any
    ) -> gallery_pb2.ForgetUnknownResponse:
        """Erases a person, or all of a gallery."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        if bool(request.unknown_id) == request.all:
            raise InvalidField("set either unknown_id or all", field="unknown_id")
        # What a caller began who has left meanwhile is erased nevertheless, and has its line.
        count = await to_the_end(self._forget(gallery_id, request, context))
        return gallery_pb2.ForgetUnknownResponse(forgotten_count=count)

    async def _forget(
        self, gallery_id: str, request: gallery_pb2.ForgetUnknownRequest, context: Any
    ) -> int:
        if request.all:
            count = await self._unknown.forget_all(gallery_id)
        else:
            await self._unknown.forget(gallery_id, request.unknown_id)
            count = 1
        if count:
            await self._audit.forgot_unknown(context, gallery_id, count)
        return count
