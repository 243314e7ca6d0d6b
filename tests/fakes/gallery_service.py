"""The gallery service's rules on dictionaries, for `fakes.server`."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np

from facewire.v1 import face_pb2, gallery_pb2

__all__ = ["FakeGalleries", "Refusal"]

_NOT_FOUND = grpc.StatusCode.NOT_FOUND
_EXISTS = grpc.StatusCode.ALREADY_EXISTS


class Refusal(Exception):
    """What the server answers by a status with details."""

    def __init__(
        self,
        reason: str,
        text: str,
        *,
        code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT,
        field: str = "",
    ) -> None:
        super().__init__(text)
        self.code, self.reason, self.field = code, reason, field


@dataclass
class _Gallery:
    gallery_id: str
    contract_id: str
    revision: int = 0
    people: dict[str, gallery_pb2.Identity] = field(default_factory=dict)
    templates: dict[str, gallery_pb2.Template] = field(default_factory=dict)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    answers: dict[str, tuple[bytes, Any]] = field(default_factory=dict)

    def best(self, probe: np.ndarray) -> tuple[gallery_pb2.Identity | None, float]:
        scores = [(float(vector @ probe), key) for key, vector in self.vectors.items()]
        if not scores:
            return None, 0.0
        score, key = max(scores)
        return self.person(self.templates[key].identity_id), score

    def person(self, identity_id: str) -> gallery_pb2.Identity:
        if not identity_id or len(identity_id.encode()) > 128:
            raise Refusal("FIELD_INVALID", "1 to 128 bytes", field="identity_id")
        if identity_id not in self.people:
            raise Refusal("IDENTITY_NOT_FOUND", "no such identity", code=_NOT_FOUND)
        person = self.people[identity_id]
        person.template_count = len(self.of(identity_id))
        return person

    def of(self, identity_id: str) -> list[gallery_pb2.Template]:
        return [each for each in self.templates.values() if each.identity_id == identity_id]

    def describe(self) -> gallery_pb2.Gallery:
        return gallery_pb2.Gallery(
            gallery_id=self.gallery_id,
            display_name=self.gallery_id,
            revision=self.revision,
            identity_count=len(self.people),
            template_count=len(self.templates),
            model_contract_id=self.contract_id,
            created_at_us=1_700_000_000_000_001,
        )


class FakeGalleries:
    """One method for each of the service's, of the same name."""

    def __init__(self, contract_id: str) -> None:
        self._contract_id = contract_id
        self._galleries = {"default": _Gallery("default", contract_id)}

    def get(self, gallery_id: str) -> _Gallery:
        gallery = self._galleries.get(gallery_id or "default")
        if gallery is None:
            raise Refusal("GALLERY_NOT_FOUND", "no such gallery", code=_NOT_FOUND)
        return gallery

    def own(self, gallery_id: str) -> _Gallery:
        """A gallery of this server's model."""
        gallery = self.get(gallery_id)
        if gallery.contract_id != self._contract_id:
            raise _mismatch()
        return gallery

    def CreateGallery(self, request: Any) -> Any:
        if request.gallery_id in self._galleries:
            raise Refusal("GALLERY_EXISTS", "it exists", code=_EXISTS)
        gallery = _Gallery(request.gallery_id, self._contract_id)
        self._galleries[request.gallery_id] = gallery
        return gallery_pb2.CreateGalleryResponse(gallery=gallery.describe())

    def GetGallery(self, request: Any) -> Any:
        return gallery_pb2.GetGalleryResponse(gallery=self.get(request.gallery_id).describe())

    def ListGalleries(self, request: Any) -> Any:
        every = [self._galleries[key].describe() for key in sorted(self._galleries)]
        page, token = _page(every, request)
        return gallery_pb2.ListGalleriesResponse(galleries=page, next_page_token=token)

    def DeleteGallery(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        del self._galleries[gallery.gallery_id]
        return gallery_pb2.DeleteGalleryResponse(revision=gallery.revision + 1)

    def CreateIdentity(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        if request.identity_id in gallery.people:
            raise Refusal("IDENTITY_EXISTS", "it exists", code=_EXISTS)
        self._add(gallery, request.identity_id, request.display_name)
        gallery.revision += 1
        return gallery_pb2.CreateIdentityResponse(
            identity=gallery.person(request.identity_id), revision=gallery.revision
        )

    def GetIdentity(self, request: Any) -> Any:
        person = self.get(request.gallery_id).person(request.identity_id)
        return gallery_pb2.GetIdentityResponse(identity=person)

    def ListIdentities(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        every = [gallery.person(key) for key in sorted(gallery.people, key=str.encode)]
        page, token = _page(every, request)
        return gallery_pb2.ListIdentitiesResponse(identities=page, next_page_token=token)

    def UpdateIdentity(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        person = gallery.person(request.identity_id)
        person.display_name = request.display_name
        gallery.revision += 1
        return gallery_pb2.UpdateIdentityResponse(identity=person, revision=gallery.revision)

    def DeleteIdentity(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        gallery.person(request.identity_id)
        gone = [each.template_id for each in gallery.of(request.identity_id)]
        for key in gone:
            del gallery.templates[key], gallery.vectors[key]
        del gallery.people[request.identity_id]
        gallery.revision += 1
        return gallery_pb2.DeleteIdentityResponse(
            revision=gallery.revision, deleted_template_count=len(gone)
        )

    def EnrollTemplates(self, request: Any, embed: Callable[[face_pb2.Image], Any]) -> Any:
        gallery = self.own(request.gallery_id)
        asked = request.SerializeToString(deterministic=True)
        if request.request_id in gallery.answers:
            before, answer = gallery.answers[request.request_id]
            if before != asked:
                raise Refusal("REQUEST_ID_REUSED", "another request", field="request_id")
            return answer
        if not 1 <= len(request.images) <= 10:
            raise Refusal("FIELD_INVALID", "1 to 10 pictures", field="images")
        new = request.identity_id not in gallery.people
        if new and not request.create_identity:
            raise Refusal("IDENTITY_NOT_FOUND", "no such identity", code=_NOT_FOUND)
        if new:
            self._add(gallery, request.identity_id, request.display_name)
        answer = gallery_pb2.EnrollTemplatesResponse()
        for image in request.images:
            answer.results.append(self._enroll(gallery, request, image, embed))
        if any(result.template_id for result in answer.results):
            gallery.revision += 1
        elif new:  # all refused: nothing is written
            del gallery.people[request.identity_id]
        answer.revision = gallery.revision
        if request.request_id:
            gallery.answers[request.request_id] = asked, answer
        return answer

    def ListTemplates(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        gallery.person(request.identity_id)
        page, token = _page(gallery.of(request.identity_id), request)
        return gallery_pb2.ListTemplatesResponse(templates=page, next_page_token=token)

    def DeleteTemplate(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        if request.template_id not in gallery.templates:
            raise Refusal("TEMPLATE_NOT_FOUND", "no such template", code=_NOT_FOUND)
        del gallery.templates[request.template_id], gallery.vectors[request.template_id]
        gallery.revision += 1
        return gallery_pb2.DeleteTemplateResponse(revision=gallery.revision)

    def ExportGallery(self, request: Any) -> Iterator[Any]:
        gallery = self.get(request.gallery_id)
        header = gallery_pb2.ExportHeader(gallery=gallery.describe(), dimension=64)
        yield gallery_pb2.GalleryRecord(header=header)
        for key, person in gallery.people.items():
            yield gallery_pb2.GalleryRecord(identity=gallery.person(key))
            for template in gallery.of(person.identity_id):
                vector = gallery.vectors[template.template_id].astype("<f4").tobytes()
                exported = gallery_pb2.ExportedTemplate(template=template, embedding=vector)
                yield gallery_pb2.GalleryRecord(template=exported)

    def ImportGallery(self, requests: Iterator[Any]) -> Any:
        first = next(requests)
        gallery = self.get(first.gallery_id)
        if first.record.header.gallery.model_contract_id != self._contract_id:
            raise _mismatch()
        answer = gallery_pb2.ImportGalleryResponse()
        for request in requests:
            person, exported = request.record.identity, request.record.template
            if person.identity_id and person.identity_id not in gallery.people:
                self._add(gallery, person.identity_id, person.display_name)
                answer.identities_added += 1
            key = exported.template.template_id
            if key in gallery.templates:
                answer.templates_skipped += 1
            elif key:
                gallery.templates[key] = exported.template
                gallery.vectors[key] = np.frombuffer(exported.embedding, "<f4").astype(float)
                answer.templates_added += 1
        gallery.revision += 1
        answer.revision = gallery.revision
        return answer

    def _add(self, gallery: _Gallery, identity_id: str, display_name: str) -> None:
        if not identity_id or len(identity_id.encode()) > 128:
            raise Refusal("FIELD_INVALID", "1 to 128 bytes", field="identity_id")
        gallery.people[identity_id] = gallery_pb2.Identity(
            identity_id=identity_id, display_name=display_name or identity_id
        )

    def _enroll(self, gallery: _Gallery, request: Any, image: Any, embed: Any) -> Any:
        try:
            embedded = embed(image)
            if embedded is None:
                raise Refusal("NO_FACE", "the picture shows no face")
        except Refusal as refusal:
            reason = face_pb2.ErrorReason.Value(f"ERROR_REASON_{refusal.reason}")
            return gallery_pb2.EnrollmentResult(refusal=reason, detail=str(refusal))
        key = uuid.uuid4().hex
        gallery.vectors[key] = embedded[0]
        gallery.templates[key] = gallery_pb2.Template(
            template_id=key, identity_id=request.identity_id, source=request.source
        )
        return gallery_pb2.EnrollmentResult(
            template_id=key, quality=face_pb2.Quality(inter_eye_px=60), box=face_pb2.Box(x_px=1)
        )


def _mismatch() -> Refusal:
    code = grpc.StatusCode.FAILED_PRECONDITION
    return Refusal("CONTRACT_MISMATCH", "made with another model", code=code)


def _page(every: list[Any], request: Any) -> tuple[list[Any], str]:
    """At most three a page, whatever was asked for: a server may, and clients must cope."""
    start = int(request.page_token or 0)
    end = start + min(3, request.page_size or 3)
    return every[start:end], str(end) if end < len(every) else ""
