"""`Sightings`: what it keeps of the events of a real server, and what it asks for when they are shown."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import facewire
from facewire_console.names import Names
from facewire_console.sightings import Sightings
from facewire_server.access.roles import Role
from harness.roles import with_token
from harness.running import RunningServer, running_server


class Counting(facewire.AsyncClient):
    """A client that says what it was asked for."""

    people: list[str]
    feeds: int

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(address, **options)
        self.people, self.feeds = [], 0

    async def identity(self, identity_id: str, **options: Any) -> facewire.Identity:
        self.people.append(identity_id)
        return await super().identity(identity_id, **options)

    def watch_tracks(self, **options: Any) -> Any:
        self.feeds += 1
        return super().watch_tracks(**options)


@contextlib.asynccontextmanager
async def watching(client: facewire.AsyncClient) -> AsyncIterator[Sightings]:
    sightings = Sightings(client)
    task = asyncio.create_task(sightings.watch())
    try:
        yield sightings
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def enroll(
    client: facewire.AsyncClient, gallery: str, portrait: bytes, people: list[str]
) -> None:
    for person in people:
        with contextlib.suppress(facewire.SimilarIdentityWarning):
            await client.enroll(person, [portrait], gallery=gallery, display_name=f"Name {person}")


async def visit(client: facewire.AsyncClient, gallery: str, portrait: bytes) -> None:
    """Someone stands before a camera until it is decided who it is, and leaves."""
    is_decided = asyncio.Event()

    async def frames() -> AsyncIterator[facewire.Frame]:
        number = 0
        while not is_decided.is_set():
            yield facewire.Frame(portrait, captured_at_us=1 + number * 200_000)
            number += 1

    policy = facewire.FramePolicy.EVERY_FRAME
    async with client.stream(frames(), camera="door", gallery=gallery, policy=policy) as stream:
        async for item in stream:
            if getattr(item, "state", None) is facewire.TrackState.CONFIRMED:
                is_decided.set()


async def until_seen(sightings: Sightings, gallery: str, identity_id: str) -> list[dict[str, Any]]:
    while True:
        found = await sightings.latest(gallery, None, 1000)
        if any(each["type"] == "ended" and each["identity_id"] == identity_id for each in found):
            return found
        await asyncio.sleep(0.02)


def texts(sightings: Sightings) -> str:
    """All that it keeps, as text."""
    return repr(list(sightings._events))


async def test_events_of_the_merged_are_read_again_once_for_pages_that_ask_at_the_same_time(
    server: RunningServer, gallery: str, portrait: bytes
) -> None:
    async with Counting(server.address) as client, watching(client) as sightings:
        await enroll(client, gallery, portrait, ["ada-2"])
        await visit(client, gallery, portrait)
        before = await until_seen(sightings, gallery, "ada-2")
        await client.create_identity("ada", gallery=gallery, display_name="Name ada")
        await client.merge_identities("ada", "ada-2", gallery=gallery)
        client.feeds = 0
        first, second = await asyncio.gather(
            *(sightings.latest(gallery, None, 1000) for _ in range(2))
        )
        assert client.feeds == 1
        assert first == second
        named = [each["event_id"] for each in first if each["name"] == "Name ada"]
        assert named == [each["event_id"] for each in before if each["identity_id"]]
        assert "Name" not in texts(sightings)


async def test_the_names_of_the_events_that_are_shown_are_read_and_no_others(
    server: RunningServer, gallery: str, portrait: bytes
) -> None:
    async with Counting(server.address) as client, watching(client) as sightings:
        for person in ("ada", "bo"):
            await enroll(client, gallery, portrait, [person])
            await visit(client, gallery, portrait)
            await until_seen(sightings, gallery, person)
            await client.rename_identity(person, f"New {person}", gallery=gallery)
            if person == "ada":  # the same face comes as another person
                (template,) = [each async for each in client.templates("ada", gallery=gallery)]
                await client.delete_template(template.template_id, gallery=gallery)
        client.people = []
        (latest,) = await sightings.latest(gallery, None, 1)
        assert (latest["name"], client.people) == ("New bo", ["bo"])
        names = {each["name"] for each in await sightings.latest(gallery, None, 1000)}
        assert names >= {"New ada", "New bo"}
        assert sorted(client.people) == ["ada", "bo"]


async def test_a_token_that_may_not_read_people_gets_no_name(models: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    with_token(tokens, "door", Role.ENROLLER)
    camera = with_token(tokens, "camera", Role.CAMERA)
    with running_server(token_file=tokens) as server:
        async with facewire.AsyncClient(server.address, token=camera) as client:
            assert await Names(client, 10).of("default", ["ada", "bo"]) == {"ada": "", "bo": ""}


async def test_no_name_is_shown_while_the_server_is_away(models: Path, portrait: bytes) -> None:
    gallery = f"test-{uuid.uuid4().hex}"
    with running_server(frame_timeout_s=60) as server:
        async with Counting(server.address, timeout_s=5) as client, watching(client) as sightings:
            await client.create_gallery(gallery)
            await enroll(client, gallery, portrait, ["ada"])
            await visit(client, gallery, portrait)
            await until_seen(sightings, gallery, "ada")
            server.interrupt()
            server.wait()
            with pytest.raises(facewire.FacewireError):
                await sightings.latest(gallery, None, 10)
