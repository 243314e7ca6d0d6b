"""Converts unknown people to protobuf."""

from facewire.v1 import face_pb2, gallery_pb2
from facewire_server.errors import InvalidField
from facewire_server.rpc.convert_quality import quality_message
from facewire_server.streams.unknown import UnknownPerson, UnknownVisit

__all__ = ["checked_unknown_id", "page_key", "pictures_message", "unknown_person_message"]


def checked_unknown_id(unknown_id: int) -> int:
    """Returns the id of an unknown person; raises InvalidField if the request names none."""
    if not unknown_id:
        raise InvalidField("unknown_id is required", field="unknown_id")
    return unknown_id


def page_key(person: UnknownPerson) -> str:
    """Returns what the pages of a list are ordered by: the id, the time of the first visit."""
    return f"{person.unknown_id:020d}"


def unknown_person_message(person: UnknownPerson) -> gallery_pb2.UnknownPerson:
    """Converts a person; nothing of their embedding is in it."""
    return gallery_pb2.UnknownPerson(
        unknown_id=person.unknown_id,
        visit_count=len(person.visits),
        first_seen_us=person.first_seen_us,
        last_seen_us=person.last_seen_us,
        camera_ids=person.camera_ids,
        picture_count=len(person.pictures),
    )


def pictures_message(person: UnknownPerson) -> gallery_pb2.GetUnknownPicturesResponse:
    """Converts the pictures of a person, best first."""
    return gallery_pb2.GetUnknownPicturesResponse(pictures=map(_picture_message, person.pictures))


def _picture_message(visit: UnknownVisit) -> gallery_pb2.UnknownPicture:
    message = gallery_pb2.UnknownPicture(
        camera_id=visit.camera_id,
        first_seen_us=visit.first_seen_us,
        last_seen_us=visit.last_seen_us,
    )
    if visit.picture is not None:
        jpeg = face_pb2.Image(format=face_pb2.IMAGE_FORMAT_JPEG, data=visit.picture.jpeg)
        message.image.CopyFrom(jpeg)
        message.quality.CopyFrom(quality_message(visit.picture.quality))
    return message
