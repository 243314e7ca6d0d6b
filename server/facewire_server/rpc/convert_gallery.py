"""Converts between protobuf and values: the messages of the gallery service."""

import math

import numpy as np

from facewire.v1 import face_pb2, gallery_pb2
from facewire_server.errors import InvalidField, OutOfOrder
from facewire_server.galleries.ids import checked_identity_id, checked_template_id
from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    NewIdentity,
    TemplateInfo,
)
from facewire_server.galleries.refusal import Refusal
from facewire_server.galleries.visible import unseen_in_name
from facewire_server.rpc.checks import checked_text, float_within
from facewire_server.rpc.convert import picture, threshold_source_message
from facewire_server.rpc.convert_quality import quality_message, quality_of
from facewire_server.rpc.status import shortened
from facewire_server.types import DecisionPolicy, Picture

__all__ = [
    "MAX_ENROLL_IMAGES",
    "REFUSAL_REASONS",
    "display_name",
    "enrolled_pictures",
    "enrollment_message",
    "export_header_message",
    "export_message",
    "gallery_message",
    "identity_message",
    "import_header",
    "import_message",
    "import_record",
    "new_identity",
    "request_id",
    "source",
    "template_message",
]

MAX_ENROLL_IMAGES = 10
"""The contract's limit of EnrollTemplates."""

_MAX_NAME_BYTES = 256
_MAX_SOURCE_BYTES = 256
_MAX_REQUEST_ID_BYTES = 128
_MAX_DETAIL_BYTES = 256
_MAX_DIMENSION = 4096
"""The contract's limits of texts, in bytes of UTF-8, and the longest embedding of an import: 16 KiB, so that a record
stays far below a message's limit."""

_FLOAT32 = np.dtype("<f4")
"""The contract's form of an embedding's numbers."""

REFUSAL_REASONS: dict[Refusal, face_pb2.ErrorReason] = {
    Refusal.IMAGE_EMPTY: face_pb2.ERROR_REASON_IMAGE_EMPTY,
    Refusal.IMAGE_UNDECODABLE: face_pb2.ERROR_REASON_IMAGE_UNDECODABLE,
    Refusal.IMAGE_TOO_MANY_BYTES: face_pb2.ERROR_REASON_IMAGE_TOO_MANY_BYTES,
    Refusal.IMAGE_TOO_MANY_PIXELS: face_pb2.ERROR_REASON_IMAGE_TOO_MANY_PIXELS,
    Refusal.IMAGE_LAYOUT: face_pb2.ERROR_REASON_IMAGE_LAYOUT,
    Refusal.NO_FACE: face_pb2.ERROR_REASON_NO_FACE,
    Refusal.SEVERAL_FACES: face_pb2.ERROR_REASON_SEVERAL_FACES,
    Refusal.TOO_POOR: face_pb2.ERROR_REASON_TOO_POOR,
    # The picture is a field of the request; `detail` says what was wrong with it.
    Refusal.OTHER: face_pb2.ERROR_REASON_FIELD_INVALID,
}
"""The contract's reason for each refusal of a picture."""


def display_name(text: str, *, required: bool = False) -> str:
    """Returns a checked display name; "" if the client sent none."""
    checked_text(text, "display_name", max_bytes=_MAX_NAME_BYTES, required=required)
    if fault := unseen_in_name(text):
        raise InvalidField(f"display_name {fault}", field="display_name")
    return text


def source(text: str) -> str:
    """Returns a checked `source` of templates; "" if the client sent none."""
    return checked_text(text, "source", max_bytes=_MAX_SOURCE_BYTES)


def request_id(text: str) -> str:
    """Returns a checked `request_id`; "" if the client sent none."""
    return checked_text(text, "request_id", max_bytes=_MAX_REQUEST_ID_BYTES)


def new_identity(
    request: gallery_pb2.EnrollTemplatesRequest | gallery_pb2.EnrollUnknownRequest,
) -> NewIdentity:
    """Converts the identity of an enrollment."""
    return NewIdentity(
        checked_identity_id(request.identity_id),
        display_name(request.display_name),
        request.create_identity,
    )


def enrolled_pictures(request: gallery_pb2.EnrollTemplatesRequest, max_bytes: int) -> list[Picture]:
    """Converts the pictures to enroll, 1 to 10 with at most `max_bytes` together; raises InvalidField."""
    if not 1 <= len(request.images) <= MAX_ENROLL_IMAGES:
        raise InvalidField(f"images must be 1 to {MAX_ENROLL_IMAGES}", field="images")
    pictures = [picture(image, f"images[{row}]") for row, image in enumerate(request.images)]
    if sum(len(one.data) for one in pictures) > max_bytes:
        raise InvalidField(f"images have more than {max_bytes} bytes together", field="images")
    return pictures


def enrollment_message(
    enrollment: Enrollment, default: DecisionPolicy
) -> gallery_pb2.EnrollTemplatesResponse:
    """Converts the outcome of an enrollment; `default` is the policy of a request that sets none."""
    threshold = default.threshold_among(enrollment.identity_count, enrollment.pairs)
    return gallery_pb2.EnrollTemplatesResponse(
        results=[_result_message(result) for result in enrollment.results],
        revision=enrollment.revision,
        threshold=threshold.value,
        threshold_source=threshold_source_message(threshold.source),
    )


def gallery_message(info: GalleryInfo, default: DecisionPolicy) -> gallery_pb2.Gallery:
    """Converts a gallery.

    Args:
        info: the gallery.
        default: the policy of a request that sets none.
    """
    threshold = default.threshold_among(info.enrolled_count, info.pairs)
    return gallery_pb2.Gallery(
        gallery_id=info.gallery_id,
        display_name=info.display_name,
        revision=info.revision,
        identity_count=info.identity_count,
        template_count=info.template_count,
        model_contract_id=info.model_contract_id,
        created_at_us=info.created_at_us,
        pending_purge_count=info.pending_purge_count,
        threshold=threshold.value,
        threshold_source=threshold_source_message(threshold.source),
    )


def identity_message(info: IdentityInfo) -> gallery_pb2.Identity:
    """Converts an identity."""
    return gallery_pb2.Identity(
        identity_id=info.identity_id,
        display_name=info.display_name,
        template_count=info.template_count,
        created_at_us=info.created_at_us,
    )


def template_message(info: TemplateInfo) -> gallery_pb2.Template:
    """Converts a template's metadata, without its embedding."""
    return gallery_pb2.Template(
        template_id=info.template_id,
        identity_id=info.identity_id,
        quality=quality_message(info.quality),
        detection_score=info.detection_score,
        created_at_us=info.created_at_us,
        source=info.source,
    )


def export_header_message(
    info: GalleryInfo, dimension: int, default: DecisionPolicy
) -> gallery_pb2.ExportGalleryResponse:
    """Returns the first message of an export."""
    header = gallery_pb2.ExportHeader(gallery=gallery_message(info, default), dimension=dimension)
    return gallery_pb2.ExportGalleryResponse(record=gallery_pb2.GalleryRecord(header=header))


def export_message(record: GalleryRecord) -> gallery_pb2.ExportGalleryResponse:
    """Converts one record of an export. A template's message holds its embedding: biometric data."""
    if isinstance(record, IdentityInfo):
        message = gallery_pb2.GalleryRecord(identity=identity_message(record))
    else:
        exported = gallery_pb2.ExportedTemplate(
            template=template_message(record.info),
            embedding=record.embedding.astype(_FLOAT32, copy=False).tobytes(),
        )
        message = gallery_pb2.GalleryRecord(template=exported)
    return gallery_pb2.ExportGalleryResponse(record=message)


def import_header(record: gallery_pb2.GalleryRecord) -> gallery_pb2.ExportHeader:
    """Returns the header of an import's first message; raises OutOfOrder and InvalidField."""
    if record.WhichOneof("record") != "header":
        raise OutOfOrder("the first message of an import carries the export's header")
    dimension = record.header.dimension
    if not 1 <= dimension <= _MAX_DIMENSION:
        raise InvalidField(
            f"record.header.dimension must lie in [1, {_MAX_DIMENSION}]",
            field="record.header.dimension",
        )
    return record.header


def import_record(record: gallery_pb2.GalleryRecord, dimension: int) -> GalleryRecord:
    """Converts one record of an import; raises OutOfOrder and InvalidField."""
    kind = record.WhichOneof("record")
    if kind == "identity":
        return _imported_identity(record.identity)
    if kind == "template":
        return _imported_template(record.template, dimension)
    raise OutOfOrder("every message of an import but the first carries an identity or a template")


def import_message(counts: ImportCounts, poor_count: int) -> gallery_pb2.ImportGalleryResponse:
    """Converts the counts of an import, and of its templates that an enrollment refuses."""
    return gallery_pb2.ImportGalleryResponse(
        identities_added=counts.identities_added,
        templates_added=counts.templates_added,
        templates_skipped=counts.templates_skipped,
        revision=counts.revision,
        templates_poor=poor_count,
    )


def _result_message(result: EnrollmentResult) -> gallery_pb2.EnrollmentResult:
    message = gallery_pb2.EnrollmentResult(
        template_id=result.template_id,
        detail=shortened(result.detail, _MAX_DETAIL_BYTES),
        quality=None if result.quality is None else quality_message(result.quality),
        similar_identity_id=result.similar_identity_id,
        similar_identity_similarity=result.similar_identity_similarity,
    )
    if result.refusal:
        message.refusal = REFUSAL_REASONS[result.refusal]
    if result.box is not None:
        left, top, right, bottom = result.box
        message.box.CopyFrom(
            face_pb2.Box(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top)
        )
    return message


def _imported_identity(message: gallery_pb2.Identity) -> IdentityInfo:
    field = "record.identity"
    checked_text(message.display_name, f"{field}.display_name", max_bytes=_MAX_NAME_BYTES)
    return IdentityInfo(
        checked_identity_id(message.identity_id, f"{field}.identity_id"),
        message.display_name or message.identity_id,
        message.template_count,
        message.created_at_us,
    )


def _imported_template(message: gallery_pb2.ExportedTemplate, dimension: int) -> ExportedTemplate:
    field = "record.template"
    known = message.template
    embedding = message.embedding
    if len(embedding) != dimension * _FLOAT32.itemsize:
        raise InvalidField(
            f"{field}.embedding must have {dimension} numbers of 4 bytes",
            field=f"{field}.embedding",
        )
    numbers = np.frombuffer(embedding, _FLOAT32).astype(np.float32)  # copies
    quality = quality_of(known.quality)
    if not (np.isfinite(numbers).all() and all(map(math.isfinite, quality[:-1]))):
        raise InvalidField(f"{field} holds a number that is not finite", field=field)
    info = TemplateInfo(
        checked_template_id(known.template_id, f"{field}.template.template_id"),
        checked_identity_id(known.identity_id, f"{field}.template.identity_id"),
        quality,
        float_within(known.detection_score, 0.0, 1.0, f"{field}.template.detection_score"),
        known.created_at_us,
        checked_text(known.source, f"{field}.template.source", max_bytes=_MAX_SOURCE_BYTES),
    )
    return ExportedTemplate(info, numbers)
