"""Reads messages of gallery.proto as values."""

from facewire._values.enums import ErrorReason, ThresholdSource
from facewire._values.galleries import EnrolledPicture, Gallery, Identity, ImportResult, Template
from facewire._wire.read_faces import read_box, read_quality
from facewire._wire.read_time import read_time
from facewire.v1 import gallery_pb2

__all__ = [
    "read_enrolled_picture",
    "read_gallery",
    "read_identity",
    "read_import_result",
    "read_template",
]


def read_gallery(gallery: gallery_pb2.Gallery) -> Gallery:
    return Gallery(
        gallery_id=gallery.gallery_id,
        display_name=gallery.display_name,
        revision=gallery.revision,
        identity_count=gallery.identity_count,
        template_count=gallery.template_count,
        model_contract_id=gallery.model_contract_id,
        pending_purge_count=gallery.pending_purge_count,
        created_at=read_time(gallery.created_at_us),
        threshold=gallery.threshold,
        threshold_source=ThresholdSource.from_wire(gallery.threshold_source),
        negative_example_count=gallery.negative_example_count,
    )


def read_identity(identity: gallery_pb2.Identity) -> Identity:
    return Identity(
        identity_id=identity.identity_id,
        display_name=identity.display_name,
        template_count=identity.template_count,
        created_at=read_time(identity.created_at_us),
        negative_example_count=identity.negative_example_count,
    )


def read_template(template: gallery_pb2.Template) -> Template:
    return Template(
        template_id=template.template_id,
        identity_id=template.identity_id,
        quality=read_quality(template.quality),
        detection_score=template.detection_score,
        created_at=read_time(template.created_at_us),
        source=template.source,
    )


def read_enrolled_picture(result: gallery_pb2.EnrollmentResult) -> EnrolledPicture:
    return EnrolledPicture(
        template_id=result.template_id,
        refusal=ErrorReason.from_wire(result.refusal) if result.refusal else None,
        detail=result.detail,
        quality=read_quality(result.quality) if result.HasField("quality") else None,
        box=read_box(result.box) if result.HasField("box") else None,
        similar_identity_id=result.similar_identity_id,
        similar_identity_similarity=result.similar_identity_similarity,
    )


def read_import_result(result: gallery_pb2.ImportGalleryResponse) -> ImportResult:
    return ImportResult(
        identities_added=result.identities_added,
        templates_added=result.templates_added,
        templates_skipped=result.templates_skipped,
        revision=result.revision,
        templates_poor=result.templates_poor,
        negative_examples_added=result.negative_examples_added,
        negative_examples_skipped=result.negative_examples_skipped,
    )
