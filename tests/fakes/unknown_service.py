"""The gallery service's rules about unknown people on a dictionary, for `fakes.server`.

`tests/integration/test_client.py` holds them to those of the real server.
"""

from typing import Any

import grpc

from facewire.v1 import gallery_pb2
from fakes.gallery_service import FakeGalleries, Refusal

__all__ = ["FakeUnknown"]


class FakeUnknown(FakeGalleries):
    """One method for each of the service's, of the same name.

    Attributes:
        unknown: people of "default" with their pictures, by id; None: the operator does not allow them to be kept.
    """

    unknown: dict[int, tuple[Any, list[Any]]] | None = None

    def ListUnknownPeople(self, request: Any) -> Any:
        kept = self._kept()
        rows = [person for person, _ in kept.values()] if request.gallery_id == "default" else []
        return gallery_pb2.ListUnknownPeopleResponse(people=rows, total_count=len(rows))

    def GetUnknownPictures(self, request: Any) -> Any:
        return gallery_pb2.GetUnknownPicturesResponse(pictures=self._one(request)[1])

    def EnrollUnknown(self, request: Any) -> Any:
        _, pictures = self._one(request)
        gallery = self.own(request.gallery_id)
        if request.create_identity and request.identity_id not in gallery.people:
            gallery.add(request.identity_id, request.display_name)
        gallery.person(request.identity_id)
        results = [
            gallery_pb2.EnrollmentResult(template_id=f"{number:032x}", quality=picture.quality)
            if picture.image.data
            else gallery_pb2.EnrollmentResult(refusal="ERROR_REASON_NO_FACE", detail="no face")
            for number, picture in enumerate(pictures)
        ]
        if any(result.template_id for result in results):
            self._kept().pop(request.unknown_id)
            gallery.wrote()
        return gallery_pb2.EnrollUnknownResponse(results=results, revision=gallery.revision)

    def ForgetUnknown(self, request: Any) -> Any:
        if bool(request.unknown_id) == request.all:
            raise Refusal("FIELD_INVALID", "one of two", field="unknown_id")
        kept = self._kept()
        if not request.all:
            self._one(request)
        gone = list(kept) if request.all else [request.unknown_id]
        for unknown_id in gone:
            del kept[unknown_id]
        return gallery_pb2.ForgetUnknownResponse(forgotten_count=len(gone))

    def _kept(self) -> dict[int, tuple[Any, Any]]:
        if self.unknown is None:
            code = grpc.StatusCode.FAILED_PRECONDITION
            raise Refusal("UNKNOWN_PEOPLE_NOT_KEPT", "the operator does not allow it", code=code)
        return self.unknown

    def _one(self, request: Any) -> tuple[Any, Any]:
        if not request.unknown_id:
            raise Refusal("FIELD_INVALID", "unknown_id is required", field="unknown_id")
        kept = self._kept()
        if request.unknown_id not in kept or request.gallery_id != "default":
            code = grpc.StatusCode.NOT_FOUND
            raise Refusal("UNKNOWN_PERSON_NOT_FOUND", "no such unknown person", code=code)
        return kept[request.unknown_id]
