"""A record of an import is checked as closely as what a client enrolls: it names the field at fault."""

import math
from typing import Any

import numpy as np
import pytest

from facewire.v1 import face_pb2, gallery_pb2
from facewire_server.errors import InvalidField, OutOfOrder
from facewire_server.galleries.records import ExportedTemplate, IdentityInfo
from facewire_server.rpc.convert_transfer import import_header, import_record
from facewire_server.types import QualityFault

EMBEDDING = np.array([0, 1, 0, 0], "<f4")


def identity(**fields: Any) -> gallery_pb2.GalleryRecord:
    whole = {"identity_id": "ada", "display_name": "Ada"} | fields
    return gallery_pb2.GalleryRecord(identity=gallery_pb2.Identity(**whole))


def template(embedding: bytes = EMBEDDING.tobytes(), **fields: Any) -> gallery_pb2.GalleryRecord:
    whole: dict[str, Any] = {
        "template_id": "a" * 32,
        "identity_id": "ada",
        "detection_score": 0.75,
        "quality": face_pb2.Quality(inter_eye_px=32, sharpness=100, brightness=128),
    } | fields
    exported = gallery_pb2.ExportedTemplate(
        template=gallery_pb2.Template(**whole), embedding=embedding
    )
    return gallery_pb2.GalleryRecord(template=exported)


def negative(embedding: bytes = EMBEDDING.tobytes(), **fields: Any) -> gallery_pb2.GalleryRecord:
    whole: dict[str, Any] = {"negative_example_id": "e" * 32, "identity_id": "ada"} | fields
    exported = gallery_pb2.ExportedNegativeExample(
        negative_example=gallery_pb2.NegativeExample(**whole), embedding=embedding
    )
    return gallery_pb2.GalleryRecord(negative_example=exported)


OF_NEGATIVE = "record.negative_example"


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (identity(identity_id=""), "record.identity.identity_id"),
        (identity(identity_id="a\n"), "record.identity.identity_id"),
        (identity(display_name="x" * 257), "record.identity.display_name"),
        (template(template_id="a"), "record.template.template.template_id"),
        (template(identity_id=""), "record.template.template.identity_id"),
        (template(detection_score=-0.1), "record.template.template.detection_score"),
        (template(detection_score=1.1), "record.template.template.detection_score"),
        (template(detection_score=math.nan), "record.template.template.detection_score"),
        (template(source="x" * 257), "record.template.template.source"),
        (template(quality=face_pb2.Quality(inter_eye_px=math.nan)), "record.template"),
        (template(quality=face_pb2.Quality(sharpness=math.inf)), "record.template"),
        (template(quality=face_pb2.Quality(brightness=-math.inf)), "record.template"),
        (template(quality=face_pb2.Quality(embedding_norm=math.nan)), "record.template"),
        (template(quality=face_pb2.Quality(pitch=math.inf)), "record.template"),
        (template(np.array([0, 1, 0, np.inf], "<f4").tobytes()), "record.template"),
        (template(EMBEDDING.tobytes()[4:]), "record.template.embedding"),
        (template(EMBEDDING.tobytes() + b"\0"), "record.template.embedding"),
        (negative(negative_example_id="a"), f"{OF_NEGATIVE}.negative_example.negative_example_id"),
        (negative(identity_id=""), f"{OF_NEGATIVE}.negative_example.identity_id"),
        (negative(source="x" * 257), f"{OF_NEGATIVE}.negative_example.source"),
        (negative(quality=face_pb2.Quality(pitch=math.inf)), OF_NEGATIVE),
        (negative(EMBEDDING.tobytes()[4:]), f"{OF_NEGATIVE}.embedding"),
    ],
)
def test_a_record_at_fault_names_its_field(record: gallery_pb2.GalleryRecord, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        import_record(record, 4)
    assert caught.value.field == field


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_the_bounds_themselves_are_accepted(score: float) -> None:
    record = import_record(template(source="x" * 256, detection_score=score), 4)
    assert isinstance(record, ExportedTemplate)
    assert (record.info.source, record.info.detection_score) == ("x" * 256, score)
    named = import_record(identity(display_name="x" * 256), 4)
    assert isinstance(named, IdentityInfo)
    assert named.display_name == "x" * 256


def test_an_identity_without_a_name_is_shown_by_its_id() -> None:
    record = import_record(identity(display_name=""), 4)
    assert isinstance(record, IdentityInfo)
    assert record.display_name == "ada"


def test_an_imported_embedding_can_be_written_to() -> None:
    """It is the receiver's own copy, not a view of the message."""
    record = import_record(template(), 4)
    assert isinstance(record, ExportedTemplate)
    record.embedding[0] = 1


def test_a_header_belongs_at_the_beginning_and_nowhere_else() -> None:
    header = gallery_pb2.GalleryRecord(header=gallery_pb2.ExportHeader(dimension=4))
    assert import_header(header).dimension == 4
    with pytest.raises(OutOfOrder):
        import_record(header, 4)
    for record in (identity(), template(), gallery_pb2.GalleryRecord()):
        with pytest.raises(OutOfOrder):
            import_header(record)


def test_a_fault_of_a_later_server_is_left_out_and_one_said_twice_is_one() -> None:
    quality = face_pb2.Quality.FromString(bytes([8 << 3, 99, 8 << 3, 2, 8 << 3, 2]))
    imported = import_record(template(quality=quality), 4)
    assert isinstance(imported, ExportedTemplate)
    assert imported.info.quality.faults == (QualityFault.BLURRED,)
