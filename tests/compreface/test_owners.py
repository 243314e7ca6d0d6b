"""An image id is looked up without a list of anyone's examples, and a deleted person is forgotten at once."""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from facewire import ErrorReason, NotFoundError
from facewire_console.compreface.errors import Code, DoorError
from facewire_console.compreface.subjects import Subjects, image_id_of
from facewire_console.console import Console
from harness.compreface_calls import Caller
from harness.console_running import RunningConsole

_PEOPLE = 50


@dataclass
class Person:
    identity_id: str
    display_name: str


@dataclass
class Picture:
    template_id: str
    identity_id: str


@dataclass
class Gallery:
    """A client of a gallery of fifty people, which counts its calls, and has none that lists."""

    people: dict[str, Person] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def identity(self, identity_id: str, *, gallery: str) -> Person:
        self.calls.append("identity")
        if identity_id not in self.people:
            raise NotFoundError("", reason=ErrorReason.IDENTITY_NOT_FOUND)
        return self.people[identity_id]

    async def template(self, template_id: str, *, gallery: str) -> Picture:
        self.calls.append("template")
        if gallery != "default":
            raise NotFoundError("", reason=ErrorReason.GALLERY_NOT_FOUND)
        if template_id not in self.pictures:
            raise NotFoundError("", reason=ErrorReason.TEMPLATE_NOT_FOUND)
        return self.pictures[template_id]


@dataclass
class OneConsole:
    client: Any


@pytest.fixture
def fifty() -> Gallery:
    made = Gallery()
    for number in range(_PEOPLE):
        person = Person(f"id-{number}", f"name-{number}")
        picture = Picture(uuid.UUID(int=number + 1).hex, person.identity_id)
        made.people[person.identity_id] = person
        made.pictures[picture.template_id] = picture
    return made


def owner_of(gallery: Gallery, number: int, gallery_id: str = "default") -> str:
    subjects = Subjects(cast(Console, OneConsole(gallery)), gallery_id)
    return asyncio.run(subjects.owner_of(image_id_of(uuid.UUID(int=number).hex)))


def test_whose_an_example_is_takes_two_calls_whatever_the_size_of_the_gallery(
    fifty: Gallery,
) -> None:
    assert owner_of(fifty, _PEOPLE) == f"name-{_PEOPLE - 1}"
    assert fifty.calls == ["template", "identity"]
    fifty.people[f"id-{_PEOPLE - 1}"].display_name = "another name"
    assert owner_of(fifty, _PEOPLE) == "another name", "names are not remembered"


def test_what_is_not_there_is_not_found_by_one_call(fifty: Gallery) -> None:
    with pytest.raises(DoorError) as missing:
        owner_of(fifty, _PEOPLE + 1)
    assert missing.value.code is Code.IMAGE_NOT_FOUND
    assert fifty.calls == ["template"]
    del fifty.people["id-7"]  # between the two calls
    with pytest.raises(DoorError) as gone:
        owner_of(fifty, 8)
    assert gone.value.code is Code.IMAGE_NOT_FOUND
    with pytest.raises(NotFoundError):
        owner_of(fifty, 1, "nowhere")


def test_who_is_deleted_through_the_door_is_in_no_event_of_the_page(
    door: Caller, console: RunningConsole, gallery: str, people
) -> None:
    door.add("ada", people.ada)
    console.send("POST", f"/v1/frames/hall?gallery={gallery}", people.ada)
    path = f"/api/events?gallery={gallery}"

    def names() -> set[str]:
        return {each["name"] for each in console.send("GET", path).json()["events"]}

    while "ada" not in names():
        pass  # the feed of another process is not awaited otherwise
    assert door.delete("/recognition/subjects/ada").status == 200
    assert "ada" not in names()
