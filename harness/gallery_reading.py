"""Reads a whole gallery from a running server, and compares its vectors and counts with what clients imported."""

from typing import Final

import grpc

from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from harness.acknowledged import Person
from harness.gallery_loads import CALL_S
from harness.gallery_records import vector_of

__all__ = ["Read", "read_gallery"]

_READINGS: Final = 20
"""Exports that a rewrite of the storage may end before one comes to its end: a rewrite follows a deletion. Chosen, not measured."""

_START_AGAIN: Final = "start again"
"""What an error says of a reading that the rewriting of the storage ended."""


class Read(dict[str, Person]):
    """The people of a gallery, by id.

    Attributes:
        revision: of the gallery.
        wrong: ids of templates and negative examples whose vectors are not those that were imported, and counts that are not those of the records.
    """

    revision: int = 0
    wrong: tuple[str, ...] = ()


def read_gallery(stub: gallery_pb2_grpc.GalleryServiceStub) -> Read:
    """Exports the gallery "default", and compares vectors and counts; embeddings of pictures are not compared.

    Starts again if the storage was rewritten meanwhile.
    """
    for _ in range(_READINGS):
        try:
            return _read(stub)
        except grpc.RpcError as error:
            if _START_AGAIN not in (error.details() or ""):
                raise
            last = error
    raise last


def _read(stub: gallery_pb2_grpc.GalleryServiceStub) -> Read:
    read = Read()
    wrong = []
    templates = negative_examples = 0
    header = None
    for response in stub.ExportGallery(gallery_pb2.ExportGalleryRequest(), timeout=CALL_S):
        record = response.record
        if record.HasField("header"):
            header = record.header.gallery
        elif record.HasField("identity"):
            read[record.identity.identity_id] = Person(record.identity.display_name)
        elif record.HasField("template"):
            templates += 1
            one = record.template.template
            person = read[one.identity_id]
            read[one.identity_id] = person._replace(templates=person.templates | {one.template_id})
            is_imported = one.quality.ByteSize() == 0
            if is_imported and record.template.embedding != vector_of(one.template_id):
                wrong.append(one.template_id)
        elif record.HasField("negative_example"):
            negative_examples += 1
            example = record.negative_example.negative_example
            person = read[example.identity_id]
            new = example.negative_example_id
            read[example.identity_id] = person._replace(
                negative_examples=person.negative_examples | {new}
            )
            is_imported = example.quality.ByteSize() == 0
            if is_imported and record.negative_example.embedding != vector_of(new):
                wrong.append(new)
        else:
            wrong.append("a record of an unknown kind")
    assert header is not None
    counts = (header.identity_count, header.template_count, header.negative_example_count)
    if counts != (len(read), templates, negative_examples):
        wrong.append("the counts")
    read.revision, read.wrong = header.revision, tuple(wrong)
    return read
