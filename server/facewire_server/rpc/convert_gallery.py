"""Converts between protobuf and values: the messages of the gallery service."""

from facewire.v1 import face_pb2, gallery_pb2
from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import checked_identity_id
from facewire_server.galleries.records import (
    AddedNegativeExample,
    Enrollment,
    EnrollmentResult,
    GalleryInfo,
    IdentityInfo,
    NegativeExampleInfo,
    NewIdentity,
    TemplateInfo,
)
from facewire_server.galleries.refusal import Refusal
from facewire_server.galleries.visible import unseen_in_name
from facewire_server.rpc.checks import checked_text
from facewire_server.rpc.convert import picture, threshold_source_message
from facewire_server.rpc.convert_quality import quality_message
from facewire_server.rpc.status import shortened
from facewire_server.types import DecisionPolicy, Picture

__all__ = [
    "MAX_ENROLL_IMAGES",
    "MAX_NAME_BYTES",
    "MAX_SOURCE_BYTES",
    "REFUSAL_REASONS",
    "added_negative_example_message",
    "display_name",
    "enrolled_pictures",
    "enrollment_message",
    "gallery_message",
    "identity_message",
    "negative_example_message",
    "new_identity",
    "request_id",
    "source",
    "template_message",
]

MAX_ENROLL_IMAGES = 10
"""The contract's limit of EnrollTemplates."""

MAX_NAME_BYTES = 256
MAX_SOURCE_BYTES = 256
_MAX_REQUEST_ID_BYTES = 128
_MAX_DETAIL_BYTES = 256
"""The contract's limits of texts, in bytes of UTF-8."""

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
    checked_text(text, "display_name", max_bytes=MAX_NAME_BYTES, required=required)
    if fault := unseen_in_name(text):
        raise InvalidField(f"display_name {fault}", field="display_name")
    return text


def source(text: str) -> str:
    """Returns a checked `source` of templates; "" if the client sent none."""
    return checked_text(text, "source", max_bytes=MAX_SOURCE_BYTES)


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
        negative_example_count=info.negative_example_count,
    )


def identity_message(info: IdentityInfo) -> gallery_pb2.Identity:
    """Converts an identity."""
    return gallery_pb2.Identity(
        identity_id=info.identity_id,
        display_name=info.display_name,
        template_count=info.template_count,
        created_at_us=info.created_at_us,
        negative_example_count=info.negative_example_count,
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


def negative_example_message(info: NegativeExampleInfo) -> gallery_pb2.NegativeExample:
    """Converts a negative example's metadata, without its embedding."""
    return gallery_pb2.NegativeExample(
        negative_example_id=info.negative_example_id,
        identity_id=info.identity_id,
        quality=quality_message(info.quality),
        detection_score=info.detection_score,
        created_at_us=info.created_at_us,
        source=info.source,
    )


def added_negative_example_message(
    added: AddedNegativeExample, default: DecisionPolicy
) -> gallery_pb2.AddNegativeExampleResponse:
    """Converts a negative example as it was added; `default` is the policy of a request that sets none."""
    threshold = default.threshold_among(added.identity_count, added.pairs)
    return gallery_pb2.AddNegativeExampleResponse(
        negative_example=negative_example_message(added.info),
        box=_box_message(added.box),
        similarity=added.similarity,
        threshold=threshold.value,
        threshold_source=threshold_source_message(threshold.source),
        revision=added.revision,
    )


def _box_message(box: tuple[float, float, float, float]) -> face_pb2.Box:
    left, top, right, bottom = box
    return face_pb2.Box(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top)


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
        message.box.CopyFrom(_box_message(result.box))
    return message
