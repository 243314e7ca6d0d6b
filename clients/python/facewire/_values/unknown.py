"""People whom a gallery does not know."""

from dataclasses import dataclass
from datetime import datetime

from facewire._values.faces import Quality
from facewire._values.pictures import Image

__all__ = ["UnknownPerson", "UnknownPicture"]


@dataclass(frozen=True, slots=True)
class UnknownPerson:
    """A person who was seen by cameras, perhaps several times, and whom the gallery does not know.

    All of it is about the visits that are kept.

    Attributes:
        unknown_id: their id, for `Client.enroll_unknown`.
        visit_count: visits, at most 100.
        first_seen: when the first one began, UTC.
        last_seen: when the last one ended, UTC.
        camera_ids: the cameras that saw them.
        picture_count: pictures that they would be enrolled from, at most 5.
    """

    unknown_id: int
    visit_count: int
    first_seen: datetime
    last_seen: datetime
    camera_ids: tuple[str, ...]
    picture_count: int


@dataclass(frozen=True, slots=True)
class UnknownPicture:
    """The best picture of one visit of an unknown person.

    Attributes:
        image: a JPEG of the face and half of its size around it, upright.
        quality: how well the face can be recognized.
        camera_id: the camera of the visit.
        first_seen: when the visit began, UTC.
        last_seen: when it ended, UTC.
    """

    image: Image
    quality: Quality
    camera_id: str
    first_seen: datetime
    last_seen: datetime
