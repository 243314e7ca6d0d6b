"""The records of an import of people: their embeddings follow from the ids of templates and negative examples."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from facewire.v1 import gallery_pb2
from harness.acknowledged import Person

__all__ = ["DIMENSION", "import_requests", "vector_of"]

DIMENSION: Final = 128
"""Numbers of an embedding of the models that come with the server."""


@lru_cache(maxsize=1 << 14)
def vector_of(record_id: str) -> bytes:
    """Returns the embedding of a template or negative example: 128 float32 numbers of unit length, which follow from its id."""
    row = np.random.default_rng(int(record_id, 16)).standard_normal(DIMENSION)
    return (row / np.linalg.norm(row)).astype("<f4").tobytes()


def import_requests(
    people: Mapping[str, Person], contract: str
) -> Iterator[gallery_pb2.ImportGalleryRequest]:
    """Yields the requests of an import of people, by id, into a gallery of a model contract."""
    for record in _records(people, contract):
        yield gallery_pb2.ImportGalleryRequest(record=record)


def _records(people: Mapping[str, Person], contract: str) -> Iterator[gallery_pb2.GalleryRecord]:
    header = gallery_pb2.ExportHeader(
        gallery=gallery_pb2.Gallery(model_contract_id=contract), dimension=DIMENSION
    )
    yield gallery_pb2.GalleryRecord(header=header)
    for who, person in people.items():
        identity = gallery_pb2.Identity(identity_id=who, display_name=person.name)
        yield gallery_pb2.GalleryRecord(identity=identity)
        for one in person.templates:
            template = gallery_pb2.ExportedTemplate(
                template=gallery_pb2.Template(template_id=one, identity_id=who),
                embedding=vector_of(one),
            )
            yield gallery_pb2.GalleryRecord(template=template)
        for one in person.negative_examples:
            example = gallery_pb2.ExportedNegativeExample(
                negative_example=gallery_pb2.NegativeExample(
                    negative_example_id=one, identity_id=who
                ),
                embedding=vector_of(one),
            )
            yield gallery_pb2.GalleryRecord(negative_example=example)
