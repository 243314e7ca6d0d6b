"""An image id is found without a look at everyone's examples, and a deleted person is forgotten at once."""

import asyncio
import uuid
from collections.abc import AsyncIterator
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
    template_count: int = 1


@dataclass
class Picture:
    template_id: str
    identity_id: str


@dataclass
class Gallery:
    """A client of a gallery of fifty people, which counts whose templates are listed."""

    people: dict[str, Person] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)

    async def identities(self, *, gallery: str) -> AsyncIterator[Person]:
        for person in self.people.values():
            yield person

    async def identity(self, identity_id: str, *, gallery: str) -> Person:
        if identity_id not in self.people:
            raise NotFoundError("", reason=ErrorReason.IDENTITY_NOT_FOUND)
        return self.people[identity_id]

    async def templates(self, identity_id: str, *, gallery: str) -> AsyncIterator[Picture]:
        self.listed.append(identity_id)
        for picture in list(self.pictures.values()):
            if picture.identity_id == identity_id:
                yield picture


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


def test_whose_an_example_is_is_searched_once(fifty: Gallery) -> None:
    subjects = Subjects(cast(Console, OneConsole(fifty)), "default")
    image_id = image_id_of(uuid.UUID(int=_PEOPLE).hex)
    assert asyncio.run(subjects.owner_of(image_id)) == f"name-{_PEOPLE - 1}"
    assert len(fifty.listed) == _PEOPLE
    fifty.listed.clear()
    fifty.people[f"id-{_PEOPLE - 1}"].display_name = "another name"
    assert asyncio.run(subjects.owner_of(image_id)) == "another name", "names are not remembered"
    assert fifty.listed == [f"id-{_PEOPLE - 1}"]


def test_what_was_listed_needs_no_search_and_what_is_gone_is_not_found(fifty: Gallery) -> None:
    subjects = Subjects(cast(Console, OneConsole(fifty)), "default")
    page, _ = asyncio.run(subjects.examples("name-7", 0, 20))
    fifty.listed.clear()
    assert asyncio.run(subjects.owner_of(page[0].image_id)) == "name-7"
    assert fifty.listed == ["id-7"]
    del fifty.people["id-7"]
    with pytest.raises(DoorError) as missing:
        asyncio.run(subjects.owner_of(page[0].image_id))
    assert missing.value.code is Code.IMAGE_NOT_FOUND


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
