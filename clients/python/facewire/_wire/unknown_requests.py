"""The calls about unknown people as values; see `facewire._wire.requests`."""

from facewire._values.enums import ImageFormat, ThresholdSource
from facewire._values.galleries import EnrollResult
from facewire._values.pictures import Image
from facewire._values.unknown import UnknownPerson, UnknownPicture
from facewire._wire.gallery_requests import Page, pages
from facewire._wire.read_faces import read_quality
from facewire._wire.read_galleries import read_enrolled_picture
from facewire._wire.read_time import read_time
from facewire._wire.requests import Call
from facewire.v1 import gallery_pb2

__all__ = ["enroll_unknown", "forget_unknown", "unknown_people", "unknown_pictures"]

_PAGE_SIZE = 1000
"""Rows: the contract's limit."""


def unknown_people(gallery: str) -> Call[Page[UnknownPerson]]:
    """Lists the unknown people of a gallery, page by page."""
    request = gallery_pb2.ListUnknownPeopleRequest(gallery_id=gallery, page_size=_PAGE_SIZE)
    return pages(
        lambda stubs: stubs.galleries.ListUnknownPeople,
        request,
        lambda page: map(_person, page.people),
    )


def unknown_pictures(unknown_id: int, gallery: str) -> Call[tuple[UnknownPicture, ...]]:
    """Reads the pictures of an unknown person."""
    request = gallery_pb2.GetUnknownPicturesRequest(gallery_id=gallery, unknown_id=unknown_id)
    return Call(
        lambda stubs: stubs.galleries.GetUnknownPictures,
        request,
        lambda response: tuple(map(_picture, response.pictures)),
    )


def enroll_unknown(
    unknown_id: int,
    identity_id: str,
    gallery: str,
    display_name: str,
    source: str,
    create_identity: bool,
) -> Call[EnrollResult]:
    """Enrolls an unknown person. Not repeatable: once they are enrolled, they are no longer unknown."""
    request = gallery_pb2.EnrollUnknownRequest(
        gallery_id=gallery,
        unknown_id=unknown_id,
        identity_id=identity_id,
        create_identity=create_identity,
        display_name=display_name,
        source=source,
    )

    def read(response: gallery_pb2.EnrollUnknownResponse) -> EnrollResult:
        return EnrollResult(
            identity_id,
            tuple(map(read_enrolled_picture, response.results)),
            response.revision,
            response.threshold,
            ThresholdSource.from_wire(response.threshold_source),
        )

    return Call(lambda stubs: stubs.galleries.EnrollUnknown, request, read, repeatable=False)


def forget_unknown(gallery: str, unknown_id: int | None) -> Call[int]:
    """Erases an unknown person, or all of a gallery (None)."""
    request = gallery_pb2.ForgetUnknownRequest(gallery_id=gallery)
    if unknown_id is None:
        request.all = True
    else:
        request.unknown_id = unknown_id
    return Call(
        lambda stubs: stubs.galleries.ForgetUnknown,
        request,
        lambda response: int(response.forgotten_count),
        repeatable=unknown_id is None,  # erased once, a person is not found
    )


def _person(person: gallery_pb2.UnknownPerson) -> UnknownPerson:
    return UnknownPerson(
        unknown_id=person.unknown_id,
        visit_count=person.visit_count,
        first_seen=read_time(person.first_seen_us),
        last_seen=read_time(person.last_seen_us),
        camera_ids=tuple(person.camera_ids),
        picture_count=person.picture_count,
    )


def _picture(picture: gallery_pb2.UnknownPicture) -> UnknownPicture:
    return UnknownPicture(
        image=Image(picture.image.data, ImageFormat.from_wire(picture.image.format)),
        quality=read_quality(picture.quality),
        camera_id=picture.camera_id,
        first_seen=read_time(picture.first_seen_us),
        last_seen=read_time(picture.last_seen_us),
    )
