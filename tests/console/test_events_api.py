"""`/api/events`: who was seen, also after the page was opened, and never someone who was deleted."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

import facewire
from console.described import checked, described_value
from harness.console_running import RunningConsole

EVENTS = ("GET", "/api/events")


def enroll(console: RunningConsole, gallery: str, portrait: bytes) -> str:
    answer = console.send_form(
        f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)]
    )
    return str(answer.json()["identity"]["identity_id"])


def events_when(
    console: RunningConsole, path: str, is_there: Callable[[list[Any]], bool]
) -> list[Any]:
    """Asks until the events are as expected: the feed of another process is not awaited otherwise."""
    while True:
        found = checked(console.send("GET", path), *EVENTS)
        if is_there(found["events"]):
            assert found["complete"] is True
            return list(found["events"])


def test_events_of_a_camera_are_listed_newest_first(console, gallery, portrait) -> None:
    enroll(console, gallery, portrait)
    console.send("POST", f"/v1/frames/hall?gallery={gallery}", portrait)
    path = f"/api/events?gallery={gallery}"
    events = events_when(console, path, lambda found: len(found) >= 2)
    numbers = [each["event_id"] for each in events]
    assert numbers == sorted(numbers, reverse=True)
    assert events[0]["name"] == "Ada"
    assert events[0]["camera"] == "hall"
    assert console.send("GET", f"{path}&camera=other").json()["events"] == []
    assert len(console.send("GET", f"{path}&limit=1").json()["events"]) == 1


def test_the_best_picture_of_a_track_is_a_jpeg(console, gallery, portrait) -> None:
    result = console.send("POST", f"/v1/frames/crop?gallery={gallery}", portrait).json()
    track_id = result["faces"][0]["track_id"]
    path = f"/api/events?gallery={gallery}"
    events_when(console, path, lambda found: any(each["has_crop"] for each in found))
    crop = console.send("GET", f"/api/tracks/{track_id}/crop")
    assert crop.status == 200
    assert crop.headers["content-type"] == "image/jpeg"
    assert crop.headers["cache-control"] == "no-store"
    assert crop.body.startswith(b"\xff\xd8")


def test_a_deleted_person_is_in_no_event(console, gallery, portrait) -> None:
    ada = enroll(console, gallery, portrait)
    console.send("POST", f"/v1/frames/exit?gallery={gallery}", portrait)
    path = f"/api/events?gallery={gallery}"
    events_when(console, path, lambda found: any(each["name"] == "Ada" for each in found))
    assert console.send("DELETE", f"/api/identities/{ada}?gallery={gallery}").status == 204
    found = console.send("GET", path).json()["events"]  # at once, not when a kept name is old
    assert not any(each["identity_id"] == ada for each in found)


def test_a_renamed_person_has_the_new_name_at_once(console, gallery, portrait) -> None:
    ada = enroll(console, gallery, portrait)
    console.send("POST", f"/v1/frames/desk?gallery={gallery}", portrait)
    path = f"/api/events?gallery={gallery}"
    events_when(console, path, lambda found: any(each["name"] == "Ada" for each in found))
    renamed = console.send(
        "PATCH", f"/api/identities/{ada}?gallery={gallery}", content={"name": "Ada King"}
    )
    assert renamed.status == 200
    found = console.send("GET", path).json()["events"]
    assert {each["name"] for each in found if each["identity_id"] == ada} == {"Ada King"}


def visit(client: facewire.Client, gallery: str, camera: str, portrait: bytes) -> None:
    """Someone stands before a camera until it is decided who it is, and leaves."""
    is_decided = threading.Event()

    def frames() -> Iterator[facewire.Frame]:
        for number in count():
            if is_decided.is_set():
                return
            yield facewire.Frame(portrait, captured_at_us=1 + number * 200_000)

    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames(), camera=camera, gallery=gallery, policy=policy) as stream:
        for item in stream:
            if (
                isinstance(item, facewire.TrackEvent)
                and item.state is facewire.TrackState.CONFIRMED
            ):
                is_decided.set()


def seen_under_a_second_id(console, server, gallery, portrait, camera: str) -> str:
    """Someone comes as `ada-2`; returns the path of the events, which name them so."""
    with facewire.Client(server.address) as client:
        client.enroll("ada-2", [portrait], gallery=gallery, display_name="Ada, again")
        visit(client, gallery, camera, portrait)
        with pytest.warns(facewire.SimilarIdentityWarning):
            client.enroll("ada", [portrait], gallery=gallery, display_name="Ada")
    path = f"/api/events?gallery={gallery}"
    events_when(console, path, lambda found: any(each["type"] == "ended" for each in found))
    return path


def test_events_of_who_is_merged_by_another_client_are_about_who_stays(
    console, server, gallery, portrait
) -> None:
    path = seen_under_a_second_id(console, server, gallery, portrait, "gate")
    before = console.send("GET", path).json()["events"]
    assert "ada-2" in {each["identity_id"] for each in before}
    with facewire.Client(server.address) as client:
        client.merge_identities("ada", "ada-2", gallery=gallery)
        after = console.send("GET", path).json()["events"]
        named = {each["event_id"]: each["name"] for each in after if each["identity_id"]}
        assert named == {each["event_id"]: "Ada" for each in before if each["identity_id"]}
        client.delete_identity("ada", gallery=gallery)
        assert not any(each["identity_id"] for each in console.send("GET", path).json()["events"])


def test_a_person_whom_another_client_has_merged_cannot_be_deleted_and_keeps_the_events(
    console, server, gallery, portrait
) -> None:
    path = seen_under_a_second_id(console, server, gallery, portrait, "porch")
    with facewire.Client(server.address) as client:
        client.merge_identities("ada", "ada-2", gallery=gallery)
    deleted = console.send("DELETE", f"/api/identities/ada-2?gallery={gallery}")
    assert (deleted.status, deleted.reason) == (404, "IDENTITY_NOT_FOUND")
    found = console.send("GET", path).json()["events"]
    assert {each["name"] for each in found if each["identity_id"]} == {"Ada"}


def test_pages_that_ask_at_the_same_time_after_a_merge_get_the_same_events(
    console, server, gallery, portrait
) -> None:
    path = seen_under_a_second_id(console, server, gallery, portrait, "ramp")
    with facewire.Client(server.address) as client:
        client.merge_identities("ada", "ada-2", gallery=gallery)
    with ThreadPoolExecutor(8) as pages:
        answers = list(pages.map(lambda _: console.send("GET", path).json(), range(8)))
    assert all(each == answers[0] for each in answers)
    assert {each["name"] for each in answers[0]["events"] if each["identity_id"]} == {"Ada"}


def test_a_visit_between_two_who_are_merged_is_of_the_one(
    console, server, gallery, portrait
) -> None:
    path = f"/api/events?gallery={gallery}"
    with facewire.Client(server.address) as client:
        client.enroll("ada", [portrait], gallery=gallery, display_name="Ada")
        with pytest.warns(facewire.SimilarIdentityWarning):
            client.enroll("ada-2", [portrait], gallery=gallery, display_name="Ada")
        visit(client, gallery, "arch", portrait)
        events_when(console, path, lambda found: any(each["type"] == "ended" for each in found))
        before = console.send("GET", path).json()["events"]
        assert {each["verdict"] for each in before} >= {"ambiguous"}
        client.merge_identities("ada", "ada-2", gallery=gallery)
        after = {each["event_id"]: each for each in console.send("GET", path).json()["events"]}
        shown = [after[each["event_id"]] for each in before if each["verdict"] == "ambiguous"]
        assert {(each["verdict"], each["label"]) for each in shown} == {("known", "Ada")}


def test_who_is_renamed_by_another_client_has_the_new_name_at_once(
    console, server, gallery, portrait
) -> None:
    path = seen_under_a_second_id(console, server, gallery, portrait, "yard")
    with facewire.Client(server.address) as client:
        client.rename_identity("ada-2", "Countess", gallery=gallery)
    names = {each["name"] for each in console.send("GET", path).json()["events"]}
    assert names - {None} == {"Countess"}


def test_who_an_event_lies_between_has_the_present_name_or_is_not_shown(
    console, server, gallery, portrait
) -> None:
    path = f"/api/events?gallery={gallery}"

    def between() -> set[str]:
        events = console.send("GET", path).json()["events"]
        return {each["label"] for each in events if each["verdict"] == "ambiguous"}

    with facewire.Client(server.address) as client:
        client.enroll("ada", [portrait], gallery=gallery, display_name="Ada")
        with pytest.warns(facewire.SimilarIdentityWarning):
            client.enroll("bo", [portrait], gallery=gallery, display_name="Bo")
        visit(client, gallery, "hedge", portrait)
        events_when(console, path, lambda found: any(each["type"] == "ended" for each in found))
        assert between() == {"Ada or Bo?"}
        client.rename_identity("bo", "Bob", gallery=gallery)
        assert between() == {"Ada or Bob?"}
        client.delete_identity("bo", gallery=gallery)
        assert between() == set()


def test_events_are_streamed_as_they_happen(console, gallery, portrait) -> None:
    with console.connect() as listening:
        request = f"GET /api/events/stream?gallery={gallery}&camera=live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        listening.sendall(request.encode())
        lines = listening.makefile("rb")
        head = [lines.readline()]
        while not head[-1].startswith(b": open"):
            head.append(lines.readline())
        assert head[0].startswith(b"HTTP/1.1 200")
        assert any(line.lower().startswith(b"content-type: text/event-stream") for line in head)
        console.send("POST", f"/v1/frames/live?gallery={gallery}", portrait)
        while not (line := lines.readline()).startswith(b"data: "):
            assert line, "the stream ended"
        event = json.loads(line.removeprefix(b"data: "))
    described_value("Event", event)
    assert (event["camera"], event["type"]) == ("live", "tentative")
