"""The gallery service's rules on dictionaries, for `fakes.server`.

`tests/integration/test_client.py` holds them to those of the real server.
"""

import re
import time
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
    """What the server returns as a status with details."""

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
    info: gallery_pb2.Gallery
    people: dict[str, gallery_pb2.Identity] = field(default_factory=dict)
    templates: dict[str, gallery_pb2.Template] = field(default_factory=dict)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    negatives: dict[str, tuple[gallery_pb2.NegativeExample, np.ndarray]] = field(
        default_factory=dict
    )
    answers: dict[str, tuple[bytes, Any]] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        return self.info.revision

    def wrote(self) -> int:
        self.info.revision += 1
        return self.info.revision

    def describe(self) -> gallery_pb2.Gallery:
        self.info.identity_count = len(self.people)
        self.info.template_count = len(self.templates)
        self.info.negative_example_count = len(self.negatives)
        return self.info

    def ranked(self, probe: np.ndarray) -> list[face_pb2.Candidate]:
        """Each identity with its best template, best first."""
        best: dict[str, face_pb2.Candidate] = {}
        for key, vector in self.vectors.items():
            person = self.people[self.templates[key].identity_id]
            scored = face_pb2.Candidate(
                identity_id=person.identity_id, display_name=person.display_name,
                similarity=float(vector @ probe), template_id=key,
            )  # fmt: skip
            before = best.get(person.identity_id)
            if before is None or scored.similarity > before.similarity:
                best[person.identity_id] = scored
        for key, candidate in best.items():
            if nearest := [float(vector @ probe) for _, vector in self.negatives_of(key)]:
                candidate.negative_example_similarity = max(nearest)
        return sorted(best.values(), key=lambda each: -each.similarity)

    def person(self, identity_id: str) -> gallery_pb2.Identity:
        _check_identity_id(identity_id)
        if identity_id not in self.people:
            raise Refusal("IDENTITY_NOT_FOUND", "no such identity", code=_NOT_FOUND)
        person = self.people[identity_id]
        person.template_count = len(self.of(identity_id))
        person.negative_example_count = len(self.negatives_of(identity_id))
        return person

    def add(self, identity_id: str, display_name: str) -> None:
        _check_identity_id(identity_id)
        self.people[identity_id] = gallery_pb2.Identity(
            identity_id=identity_id, display_name=display_name or identity_id, created_at_us=_now()
        )

    def of(self, identity_id: str) -> list[gallery_pb2.Template]:
        return [each for each in self.templates.values() if each.identity_id == identity_id]

    def negatives_of(
        self, identity_id: str
    ) -> list[tuple[gallery_pb2.NegativeExample, np.ndarray]]:
        return [each for each in self.negatives.values() if each[0].identity_id == identity_id]

    def drop(self, template_id: str) -> None:
        del self.templates[template_id], self.vectors[template_id]


class FakeGalleries:
    """One method for each of the service's, of the same name.

    Attributes:
        found: what CheckGallery lists, by kind.
    """

    def __init__(self, contract_id: str, threshold: float) -> None:
        self.contract_id = contract_id
        self.threshold = threshold
        self._galleries: dict[str, _Gallery] = {}
        self._was_deleted = False
        self.found: dict[Any, list[gallery_pb2.GalleryFinding]] = {}
        self._made("default", "", revision=0)

    def get(self, gallery_id: str) -> _Gallery:
        gallery = self._galleries.get(_gallery_id(gallery_id))
        if gallery is None:
            raise Refusal("GALLERY_NOT_FOUND", "no such gallery", code=_NOT_FOUND)
        return gallery

    def own(self, gallery_id: str) -> _Gallery:
        """A gallery of this server's model."""
        gallery = self.get(gallery_id)
        if gallery.info.model_contract_id != self.contract_id:
            raise _mismatch()
        return gallery

    def CreateGallery(self, request: Any) -> Any:
        _check_text(request.display_name, "display_name")
        gallery_id = _gallery_id(request.gallery_id)
        if gallery_id in self._galleries:
            raise Refusal("GALLERY_EXISTS", "it exists", code=_EXISTS)
        gallery = self._made(gallery_id, request.display_name, revision=1)
        return gallery_pb2.CreateGalleryResponse(gallery=gallery.describe())

    def GetGallery(self, request: Any) -> Any:
        return gallery_pb2.GetGalleryResponse(gallery=self.get(request.gallery_id).describe())

    def ListGalleries(self, request: Any) -> Any:
        every = [self._galleries[key].describe() for key in sorted(self._galleries)]
        page, token = _page(every, request)
        return gallery_pb2.ListGalleriesResponse(galleries=page, next_page_token=token)

    def DeleteGallery(self, request: Any) -> Any:
        if not request.gallery_id:
            raise Refusal("FIELD_INVALID", "required", field="gallery_id")
        gone = self.get(request.gallery_id)
        del self._galleries[request.gallery_id]
        self._was_deleted = True
        if request.gallery_id == "default":
            self._made("default", gone.info.display_name, revision=gone.revision + 1)
        return gallery_pb2.DeleteGalleryResponse(revision=gone.revision + 1)

    def CreateIdentity(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        _check_text(request.display_name, "display_name")
        if request.identity_id in gallery.people:
            raise Refusal("IDENTITY_EXISTS", "it exists", code=_EXISTS)
        gallery.add(request.identity_id, request.display_name)
        return gallery_pb2.CreateIdentityResponse(
            identity=gallery.person(request.identity_id), revision=gallery.wrote()
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
        _check_text(request.display_name, "display_name", required=True)
        gallery = self.get(request.gallery_id)
        person = gallery.person(request.identity_id)
        person.display_name = request.display_name
        return gallery_pb2.UpdateIdentityResponse(identity=person, revision=gallery.wrote())

    def DeleteIdentity(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        gallery.person(request.identity_id)
        gone = gallery.of(request.identity_id)
        for template in gone:
            gallery.drop(template.template_id)
        for example, _ in gallery.negatives_of(request.identity_id):
            del gallery.negatives[example.negative_example_id]
        del gallery.people[request.identity_id]
        self._was_deleted = True
        return gallery_pb2.DeleteIdentityResponse(
            revision=gallery.wrote(), deleted_template_count=len(gone)
        )

    def EnrollTemplates(self, request: Any, embed: Callable[[face_pb2.Image], Any]) -> Any:
        gallery = self.own(request.gallery_id)
        _check_text(request.source, "source")
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
            gallery.add(request.identity_id, request.display_name)
        results = [self._enroll(gallery, request, image, embed) for image in request.images]
        if any(result.template_id for result in results):
            gallery.wrote()
        elif new:  # all refused: nothing is written
            del gallery.people[request.identity_id]
        answer = gallery_pb2.EnrollTemplatesResponse(results=results, revision=gallery.revision)
        if request.request_id:
            gallery.answers[request.request_id] = asked, answer
        return answer

    def ListTemplates(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        gallery.person(request.identity_id)
        page, token = _page(gallery.of(request.identity_id), request)
        return gallery_pb2.ListTemplatesResponse(templates=page, next_page_token=token)

    def GetTemplate(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        return gallery_pb2.GetTemplateResponse(template=_template(gallery, request.template_id))

    def CheckGallery(self, request: Any) -> Any:
        if request.max_findings > 100:
            raise Refusal("FIELD_INVALID", "at most 100", field="max_findings")
        gallery = self.get(request.gallery_id).describe()
        kinds: list[Any] = gallery_pb2.FindingKind.values()[1:]
        findings = [
            gallery_pb2.GalleryFindings(
                kind=kind,
                total_count=len(self.found.get(kind, [])),
                listed=self.found.get(kind, [])[: request.max_findings or 20],
            )
            for kind in kinds
        ]
        return gallery_pb2.CheckGalleryResponse(gallery=gallery, findings=findings)

    def DeleteTemplate(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        _template(gallery, request.template_id)
        gallery.drop(request.template_id)
        self._was_deleted = True
        return gallery_pb2.DeleteTemplateResponse(revision=gallery.wrote())

    def MergeIdentities(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        stays = gallery.person(request.identity_id)
        goes = gallery.person(request.merged_identity_id)
        if stays is goes:
            raise Refusal("FIELD_INVALID", "they are the same", field="merged_identity_id")
        moved = gallery.of(goes.identity_id)
        for template in moved:
            template.identity_id = stays.identity_id
        for example, _ in gallery.negatives_of(goes.identity_id):
            example.identity_id = stays.identity_id
        del gallery.people[goes.identity_id]
        self._was_deleted = True
        return gallery_pb2.MergeIdentitiesResponse(
            identity=gallery.person(stays.identity_id),
            revision=gallery.wrote(),
            moved_template_count=len(moved),
        )

    def SplitIdentity(self, request: Any) -> Any:
        gallery = self.get(request.gallery_id)
        gallery.person(request.identity_id)
        if request.new_identity_id in gallery.people:
            raise Refusal("IDENTITY_EXISTS", "it exists", code=_EXISTS)
        of_it = {each.template_id: each for each in gallery.of(request.identity_id)}
        if not set(request.template_ids) <= of_it.keys():
            raise Refusal("TEMPLATE_NOT_FOUND", "no such template", code=_NOT_FOUND)
        gallery.add(request.new_identity_id, request.display_name)
        for key in request.template_ids:
            of_it[key].identity_id = request.new_identity_id
        return gallery_pb2.SplitIdentityResponse(
            identity=gallery.person(request.new_identity_id), revision=gallery.wrote()
        )

    def PurgeDeleted(self, request: Any) -> Any:
        was_deleted, self._was_deleted = self._was_deleted, False
        return gallery_pb2.PurgeDeletedResponse(rewritten=was_deleted)

    def ExportGallery(self, request: Any) -> Iterator[Any]:
        gallery = self.get(request.gallery_id)
        header = gallery_pb2.ExportHeader(gallery=gallery.describe(), dimension=64)
        yield gallery_pb2.GalleryRecord(header=header)
        for key in gallery.people:
            yield gallery_pb2.GalleryRecord(identity=gallery.person(key))
            for template in gallery.of(key):
                vector = gallery.vectors[template.template_id].astype("<f4").tobytes()
                exported = gallery_pb2.ExportedTemplate(template=template, embedding=vector)
                yield gallery_pb2.GalleryRecord(template=exported)

    def ImportGallery(self, requests: Iterator[Any]) -> Any:
        first = next(requests)
        gallery = self.get(first.gallery_id)
        if first.record.header.gallery.model_contract_id != self.contract_id:
            raise _mismatch()
        answer = gallery_pb2.ImportGalleryResponse()
        for request in requests:
            person, exported = request.record.identity, request.record.template
            if person.identity_id and person.identity_id not in gallery.people:
                gallery.people[person.identity_id] = person
                answer.identities_added += 1
            key = exported.template.template_id
            if key in gallery.templates:
                answer.templates_skipped += 1
            elif key:
                gallery.templates[key] = exported.template
                gallery.vectors[key] = np.frombuffer(exported.embedding, "<f4").astype(float)
                answer.templates_added += 1
        if answer.identities_added or answer.templates_added:
            gallery.wrote()
        answer.revision = gallery.revision
        return answer

    def _made(self, gallery_id: str, display_name: str, *, revision: int) -> _Gallery:
        self._galleries[gallery_id] = gallery = _Gallery(
            gallery_pb2.Gallery(
                gallery_id=gallery_id, display_name=display_name or gallery_id, revision=revision,
                model_contract_id=self.contract_id, created_at_us=_now(),
            )
        )  # fmt: skip
        return gallery

    def _enroll(self, gallery: _Gallery, request: Any, image: Any, embed: Any) -> Any:
        try:
            probe, face, *_ = embed(image)
            if face is None:
                raise Refusal("NO_FACE", "the picture shows no face")
            if face.quality.faults:
                return gallery_pb2.EnrollmentResult(
                    refusal=face_pb2.ERROR_REASON_TOO_POOR, detail="the face is poor: take another",
                    quality=face.quality, box=face.box,
                )  # fmt: skip
        except Refusal as refusal:
            return gallery_pb2.EnrollmentResult(
                refusal=f"ERROR_REASON_{refusal.reason}", detail=str(refusal)
            )
        result = gallery_pb2.EnrollmentResult(
            template_id=uuid.uuid4().hex, quality=face.quality, box=face.box
        )
        others = [one for one in gallery.ranked(probe) if one.identity_id != request.identity_id]
        if others and others[0].similarity >= self.threshold:
            result.similar_identity_id = others[0].identity_id
            result.similar_identity_similarity = others[0].similarity
        key = result.template_id
        gallery.vectors[key] = probe
        gallery.templates[key] = gallery_pb2.Template(
            template_id=key, identity_id=request.identity_id, source=request.source,
            quality=face.quality, detection_score=face.detection_score, created_at_us=_now(),
        )  # fmt: skip
        return result


def _now() -> int:
    return time.time_ns() // 1000


def _gallery_id(text: str) -> str:
    if text and not re.fullmatch("[a-z0-9._-]{1,64}", text):
        raise Refusal("FIELD_INVALID", "1 to 64 of a-z, 0-9", field="gallery_id")
    return text or "default"


def _template(gallery: _Gallery, template_id: str) -> gallery_pb2.Template:
    if not re.fullmatch("[0-9a-f]{32}", template_id):
        raise Refusal("FIELD_INVALID", "32 hexadecimal digits", field="template_id")
    if template_id not in gallery.templates:
        raise Refusal("TEMPLATE_NOT_FOUND", "no such template", code=_NOT_FOUND)
    return gallery.templates[template_id]


def _check_identity_id(text: str) -> None:
    if not 1 <= len(text.encode()) <= 128 or not text.isprintable():
        raise Refusal("FIELD_INVALID", "1 to 128 bytes", field="identity_id")


def _check_text(text: str, field: str, *, required: bool = False) -> None:
    if len(text.encode()) > 256 or (required and not text):
        raise Refusal("FIELD_INVALID", "at most 256 bytes", field=field)


def _mismatch() -> Refusal:
    code = grpc.StatusCode.FAILED_PRECONDITION
    return Refusal("CONTRACT_MISMATCH", "made with another model", code=code)


def _page(every: list[Any], request: Any) -> tuple[list[Any], str]:
    """At most three a page, whatever was asked for: a server may, and clients must cope."""
    start = int(request.page_token or 0)
    end = start + min(3, request.page_size or 3)
    return every[start:end], str(end) if end < len(every) else ""
