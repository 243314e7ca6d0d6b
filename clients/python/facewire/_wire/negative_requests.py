"""The calls about negative examples as values; see `facewire._wire.requests`."""

import uuid

from facewire._values.enums import FaceSelection, ThresholdSource
from facewire._values.negatives import AddedNegativeExample, NegativeExample
from facewire._values.options import DetectionOptions
from facewire._values.pictures import Picture
from facewire._wire.gallery_requests import Page, pages
from facewire._wire.read_faces import read_box, read_quality
from facewire._wire.read_time import read_time
from facewire._wire.requests import Call
from facewire._wire.write import detection_message, image_message
from facewire.v1 import gallery_pb2

__all__ = ["add_negative_example", "delete_negative_example", "negative_examples"]

_PAGE_SIZE = 1000
"""Rows: the contract's limit, ten times what an identity has."""


def add_negative_example(
    identity_id: str,
    picture: Picture,
    gallery: str,
    selection: FaceSelection,
    source: str,
    detection: DetectionOptions,
) -> Call[AddedNegativeExample]:
    """Adds a negative example. The request's id makes it repeatable: the server adds no second one.

    Raises:
        OSError, ValueError, TypeError: the picture cannot be read (`image_message`).
    """
    request = gallery_pb2.AddNegativeExampleRequest(
        gallery_id=gallery,
        identity_id=identity_id,
        image=image_message(picture),
        selection=selection.wire_name,
        detection=detection_message(detection),
        request_id=str(uuid.uuid4()),
        source=source,
    )
    return Call(lambda stubs: stubs.galleries.AddNegativeExample, request, _added)


def negative_examples(identity_id: str, gallery: str) -> Call[Page[NegativeExample]]:
    """Lists the negative examples of an identity, page by page."""
    request = gallery_pb2.ListNegativeExamplesRequest(
        gallery_id=gallery, identity_id=identity_id, page_size=_PAGE_SIZE
    )
    return pages(
        lambda stubs: stubs.galleries.ListNegativeExamples,
        request,
        lambda page: map(_example, page.negative_examples),
    )


def delete_negative_example(negative_example_id: str, gallery: str) -> Call[int]:
    """Deletes a negative example."""
    request = gallery_pb2.DeleteNegativeExampleRequest(
        gallery_id=gallery, negative_example_id=negative_example_id
    )
    return Call(
        lambda stubs: stubs.galleries.DeleteNegativeExample,
        request,
        lambda response: int(response.revision),
        repeatable=False,
    )


def _added(response: gallery_pb2.AddNegativeExampleResponse) -> AddedNegativeExample:
    return AddedNegativeExample(
        example=_example(response.negative_example),
        box=read_box(response.box),
        similarity=response.similarity,
        threshold=response.threshold,
        threshold_source=ThresholdSource.from_wire(response.threshold_source),
        revision=response.revision,
    )


def _example(example: gallery_pb2.NegativeExample) -> NegativeExample:
    return NegativeExample(
        negative_example_id=example.negative_example_id,
        identity_id=example.identity_id,
        quality=read_quality(example.quality),
        detection_score=example.detection_score,
        created_at=read_time(example.created_at_us),
        source=example.source,
    )
