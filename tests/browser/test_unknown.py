"""Unknown people in the page: who came twice is one person, who is named or forgotten there, without a mouse if need be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import facewire
from harness.browsers import Watched, in_front_of_a_webcam
from harness.console_running import running_console
from harness.made_people import Person, portrait_of
from harness.running import running_server

Open = Callable[..., Watched]


def visit(client: facewire.Client, person: Person, camera: str) -> None:
    """A person stands before a camera for two seconds, and leaves."""
    shots = in_front_of_a_webcam(person).shots([one / 4 for one in range(8)])
    frames = [
        facewire.Frame(shot.jpeg, captured_at_us=1 + one * 250_000)
        for one, shot in enumerate(shots)
    ]
    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames, camera=camera, policy=policy) as stream:
        assert list(stream)


@pytest.fixture
def visited(client: facewire.Client, pair: tuple[Person, Person]) -> facewire.Client:
    """The first of the pair came twice, the other one once."""
    for person, camera in ((pair[0], "door"), (pair[1], "door"), (pair[0], "yard")):
        visit(client, person, camera)
    return client


def unknown(page: Page) -> Locator:
    return page.get_by_role("list", name="unknown").get_by_role("listitem")


def test_who_came_twice_is_one_person_and_is_named_from_all_pictures(
    open_page: Open, visited: facewire.Client, pair: tuple[Person, Person]
) -> None:
    watched = open_page("events")
    page = watched.page
    expect(page.get_by_role("heading", name="2 unknown people")).to_be_visible()
    first = unknown(page).first
    expect(first.get_by_text("2 visits")).to_be_visible()
    expect(first.get_by_text("door, yard")).to_be_visible()
    picture = first.locator("img")
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }")
    first.get_by_role("button", name="Name the person of 2 visits").click()
    dialog = page.get_by_role("dialog", name="Name this person")
    expect(dialog.get_by_role("img")).to_have_count(2)
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    expect(dialog.get_by_role("button", name="Enroll")).to_be_disabled()
    page.keyboard.type("Dee Hock")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Dee Hock is enrolled.")).to_be_visible()
    expect(page.get_by_role("heading", name="1 unknown person")).to_be_visible()
    (dee,) = visited.identities()
    assert (dee.display_name, dee.template_count) == ("Dee Hock", 2)
    (face,) = visited.recognize(portrait_of(pair[0])).faces
    assert face.name == "Dee Hock"
    assert "Dee" not in page.url
    watched.forgive("404 (Not Found)")  # pictures of earlier visitors went with their people


def test_a_person_is_forgotten_after_a_question_and_so_are_all(
    open_page: Open, visited: facewire.Client
) -> None:
    watched = open_page("events")
    page = watched.page
    forget = unknown(page).first.get_by_role("button", name="Forget the person")
    forget.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Forget this person?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(forget).to_be_focused()
    assert len(list(visited.unknown_people())) == 2
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Forget").click()
    expect(unknown(page)).to_have_count(1)
    assert len(list(visited.unknown_people())) == 1
    page.get_by_role("button", name="Forget all…").click()
    everyone = page.get_by_role("dialog", name="Forget all unknown people?")
    everyone.get_by_role("button", name="Forget").click()
    expect(unknown(page)).to_have_count(0)
    assert list(visited.unknown_people()) == []
    watched.forgive("404 (Not Found)")


def test_who_comes_while_the_page_is_open_is_listed(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    watched = open_page("events")
    page = watched.page
    expect(page.get_by_text("of the last day")).to_be_visible()
    visit(client, pair[0], "door")
    expect(unknown(page)).to_have_count(1)
    page.get_by_role("button", name="Known", exact=True).click()
    expect(unknown(page)).to_have_count(0)
    watched.forgive("404 (Not Found)")


def test_a_person_who_is_gone_meanwhile_is_said_to_be(
    open_page: Open, visited: facewire.Client
) -> None:
    watched = open_page("events")
    page = watched.page
    unknown(page).first.get_by_role("button", name="Name the person").click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(2)
    visited.forget_all_unknown()
    page.keyboard.type("Dee")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="no longer kept")).to_be_visible()
    watched.forgive("404 (Not Found)")


def test_a_server_that_keeps_none_is_explained(
    open_page: Open, models: Path, pair: tuple[Person, Person]
) -> None:
    with running_server(frame_timeout_s=60) as bare, running_console(bare.address) as console:
        with facewire.Client(bare.address) as client:
            visit(client, pair[0], "door")
        page = open_page("events", at=console).page
        expect(page.get_by_text("are not grouped by face")).to_contain_text("keep_unknown_hours")
        expect(unknown(page)).to_have_count(0)
        page.goto("about:blank")
