"""Converts between protobuf and values: the records of exports and imports."""

import math

import numpy as np
from numpy.typing import NDArray

from facewire.v1 import gallery_pb2
from facewire_server.errors import InvalidField, OutOfOrder
from facewire_server.galleries.ids import checked_identity_id, checked_template_id
from facewire_server.galleries.records import (
    ExportedNegativeExample,
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    NegativeExampleInfo,
    TemplateInfo,
)
from facewire_server.rpc.checks import checked_text, float_within
from facewire_server.rpc.convert_gallery import (
    MAX_NAME_BYTES,
    MAX_SOURCE_BYTES,
    gallery_message,
    identity_message,
    negative_example_message,
    template_message,
)
from facewire_server.rpc.convert_quality import quality_of
from facewire_server.types import DecisionPolicy, Quality

__all__ = [
    "export_header_message",
    "export_message",
    "import_header",
    "import_message",
    "import_record",
]

_MAX_DIMENSION = 4096
"""The longest embedding of an import: 16 KiB, so that a record stays far below a message's limit."""

_FLOAT32 = np.dtype("<f4")
"""The contract's form of an embedding's numbers."""


def export_header_message(
    info: GalleryInfo, dimension: int, default: DecisionPolicy
) -> gallery_pb2.ExportGalleryResponse:
    """Returns the first message of an export."""
    header = gallery_pb2.ExportHeader(gallery=gallery_message(info, default), dimension=dimension)
    return gallery_pb2.ExportGalleryResponse(record=gallery_pb2.GalleryRecord(header=header))


def export_message(record: GalleryRecord) -> gallery_pb2.ExportGalleryResponse:
    """Converts one record of an export. That of a template or negative example holds its embedding: biometric data."""
    if isinstance(record, IdentityInfo):
        message = gallery_pb2.GalleryRecord(identity=identity_message(record))
    elif isinstance(record, ExportedTemplate):
        exported = gallery_pb2.ExportedTemplate(
            template=template_message(record.info), embedding=_bytes(record.embedding)
        )
        message = gallery_pb2.GalleryRecord(template=exported)
    else:
        negative = gallery_pb2.ExportedNegativeExample(
            negative_example=negative_example_message(record.info),
            embedding=_bytes(record.embedding),
        )
        message = gallery_pb2.GalleryRecord(negative_example=negative)
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
    if kind == "negative_example":
        return _imported_negative_example(record.negative_example, dimension)
    raise OutOfOrder(
        "every message of an import but the first carries an identity, a template or a negative example"
    )


def import_message(counts: ImportCounts, poor_count: int) -> gallery_pb2.ImportGalleryResponse:
    """Converts the counts of an import, and of its templates that an enrollment refuses."""
    return gallery_pb2.ImportGalleryResponse(
        identities_added=counts.identities_added,
        templates_added=counts.templates_added,
        templates_skipped=counts.templates_skipped,
        revision=counts.revision,
        templates_poor=poor_count,
        negative_examples_added=counts.negative_examples_added,
        negative_examples_skipped=counts.negative_examples_skipped,
    )


def _imported_identity(message: gallery_pb2.Identity) -> IdentityInfo:
    field = "record.identity"
    checked_text(message.display_name, f"{field}.display_name", max_bytes=MAX_NAME_BYTES)
    return IdentityInfo(
        checked_identity_id(message.identity_id, f"{field}.identity_id"),
        message.display_name or message.identity_id,
        message.template_count,
        message.created_at_us,
        message.negative_example_count,
    )


def _imported_template(message: gallery_pb2.ExportedTemplate, dimension: int) -> ExportedTemplate:
    field, known = "record.template", message.template
    numbers = _numbers(message.embedding, dimension, field)
    info = TemplateInfo(
        checked_template_id(known.template_id, f"{field}.template.template_id"),
        *_measured(known, f"{field}.template"),
    )
    return ExportedTemplate(info, numbers)


def _imported_negative_example(
    message: gallery_pb2.ExportedNegativeExample, dimension: int
) -> ExportedNegativeExample:
    field, known = "record.negative_example", message.negative_example
    numbers = _numbers(message.embedding, dimension, field)
    id_field = f"{field}.negative_example.negative_example_id"
    info = NegativeExampleInfo(
        checked_template_id(known.negative_example_id, id_field),
        *_measured(known, f"{field}.negative_example"),
    )
    return ExportedNegativeExample(info, numbers)


def _measured(
    known: gallery_pb2.Template | gallery_pb2.NegativeExample, field: str
) -> tuple[str, Quality, float, int, str]:
    """Returns what templates and negative examples have in common, in the order of their values."""
    quality = quality_of(known.quality)
    if not all(map(math.isfinite, quality[:-1])):
        record = field.rpartition(".")[0]
        raise InvalidField(f"{record} holds a number that is not finite", field=record)
    return (
        checked_identity_id(known.identity_id, f"{field}.identity_id"),
        quality,
        float_within(known.detection_score, 0.0, 1.0, f"{field}.detection_score"),
        known.created_at_us,
        checked_text(known.source, f"{field}.source", max_bytes=MAX_SOURCE_BYTES),
    )


def _numbers(embedding: bytes, dimension: int, field: str) -> NDArray[np.float32]:
    """Returns the numbers of an embedding, a copy."""
    if len(embedding) != dimension * _FLOAT32.itemsize:
        raise InvalidField(
            f"{field}.embedding must have {dimension} numbers of 4 bytes",
            field=f"{field}.embedding",
        )
    numbers = np.frombuffer(embedding, _FLOAT32).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise InvalidField(f"{field} holds a number that is not finite", field=field)
    return numbers


def _bytes(embedding: NDArray[np.float32]) -> bytes:
    return embedding.astype(_FLOAT32, copy=False).tobytes()
