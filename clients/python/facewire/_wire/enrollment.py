"""Splits the pictures of one person into calls that the server takes, and warns if another person resembles them."""

import uuid
import warnings
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from facewire._values.enums import ErrorReason, FaceSelection, ThresholdSource
from facewire._values.errors import InvalidPictureError, LimitError
from facewire._values.galleries import EnrolledPicture, EnrollResult, SimilarIdentityWarning
from facewire._values.options import DetectionOptions
from facewire._values.pictures import Picture, as_pictures
from facewire._wire.read_galleries import read_enrolled_picture
from facewire._wire.requests import Call
from facewire._wire.write import detection_message, image_message
from facewire.v1 import face_pb2, gallery_pb2

__all__ = ["Enrolled", "Plan", "chunks", "enroll", "halves", "warn_of_similar"]

_CHUNK_PICTURES = 10
"""The contract's limit of EnrollTemplates."""

_CHUNK_BYTES = 16 * 2**20
"""The default of the server's limit; a server with a lower limit refuses the chunk, see `halves`."""

_TOO_LARGE = {ErrorReason.IMAGE_TOO_MANY_BYTES, ErrorReason.REQUEST_TOO_LARGE}
"""Reasons of a call that had too many bytes."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The results of one call."""

    pictures: list[EnrolledPicture]
    revision: int
    threshold: float = 0.0
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED


Plan: TypeAlias = Generator[Call[Enrolled], Enrolled, EnrollResult]
"""Yields calls one after the other, is sent the response of each or thrown its error, and returns."""


def enroll(
    identity_id: str,
    pictures: Picture | Iterable[Picture],
    gallery: str,
    display_name: str,
    selection: FaceSelection,
    source: str,
    detection: DetectionOptions,
    create_identity: bool,
) -> Plan:
    """Plans the calls; a chunk that is too large for the server is sent again in halves.

    Raises:
        InvalidPictureError, LimitError: of a call, unless it is about a chunk's size.
        OSError, ValueError, TypeError: a picture cannot be read (`image_message`).
    """
    common = gallery_pb2.EnrollTemplatesRequest(
        gallery_id=gallery,
        identity_id=identity_id,
        selection=selection.wire_name,
        create_identity=create_identity,
        display_name=display_name,
        source=source,
        detection=detection_message(detection),
    )
    results: list[EnrolledPicture] = []
    last = Enrolled([], 0)
    for chunk in chunks(as_pictures(pictures)):
        waiting = [chunk]
        while waiting:  # a part that is too large for the server is replaced by its halves
            part = waiting.pop(0)
            try:
                response = yield _call(common, part)
            except (InvalidPictureError, LimitError) as error:
                if error.reason not in _TOO_LARGE:
                    raise
                if len(part) > 1:
                    waiting[:0] = halves(part)
                else:
                    results.append(EnrolledPicture.refused(error.reason, str(error)))
            else:
                results += response.pictures
                last = response
    return EnrollResult(
        identity_id, tuple(results), last.revision, last.threshold, last.threshold_source
    )


def warn_of_similar(result: EnrollResult) -> None:
    """Warns if a picture also matches another identity.

    A method of a client calls it, so that the warning names the line that called the method. Warnings
    are often logged, so the text holds no id.
    """
    if any(picture.similar_identity_id for picture in result.pictures):
        warnings.warn(
            "an enrolled picture also matches another identity: one person under two names, one picture "
            "under two, or two people who look alike? Their faces may be ambiguous. Of each of the result's "
            "`pictures`, `similar_identity_id` and `similar_identity_similarity` say which identity it is.",
            SimilarIdentityWarning,
            stacklevel=3,  # this function, the client's method, its caller
        )


def _read(response: gallery_pb2.EnrollTemplatesResponse) -> Enrolled:
    return Enrolled(
        list(map(read_enrolled_picture, response.results)),
        response.revision,
        response.threshold,
        ThresholdSource.from_wire(response.threshold_source),
    )


def _call(
    common: gallery_pb2.EnrollTemplatesRequest, images: list[face_pb2.Image]
) -> Call[Enrolled]:
    # The id makes it repeatable: the server returns the first response again.
    request = gallery_pb2.EnrollTemplatesRequest(images=images, request_id=str(uuid.uuid4()))
    request.MergeFrom(common)
    return Call(lambda stubs: stubs.galleries.EnrollTemplates, request, _read)


def chunks(pictures: Iterable[Picture]) -> Iterator[list[face_pb2.Image]]:
    """Groups pictures for EnrollTemplates calls, reading them lazily.

    At most ten pictures, and at most the server's default of 16 MiB together; a
    larger picture is sent alone. A server with a lower limit refuses the chunk, see `halves`.

    Raises:
        OSError, ValueError, TypeError: a picture cannot be read (`image_message`).
    """
    chunk: list[face_pb2.Image] = []
    size_bytes = 0
    for picture in pictures:
        image = image_message(picture)
        size_bytes += len(image.data)
        if chunk and (len(chunk) == _CHUNK_PICTURES or size_bytes > _CHUNK_BYTES):
            yield chunk
            chunk, size_bytes = [], len(image.data)
        chunk.append(image)
    if chunk:
        yield chunk


def halves(chunk: list[face_pb2.Image]) -> tuple[list[face_pb2.Image], list[face_pb2.Image]]:
    """Splits a chunk of two or more."""
    middle = len(chunk) // 2
    return chunk[:middle], chunk[middle:]
