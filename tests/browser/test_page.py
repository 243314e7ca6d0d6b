"""The page in a real Chromium, before a real server: people are enrolled, recognized, named and forgotten in it."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

import facewire
from harness.browsers import Watched, in_front_of_a_webcam
from harness.films import write_film
from harness.made_people import Person, portrait_of

Open = Callable[..., Watched]


def decoded(jpeg: bytes):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def in_view(page: Page):
    return page.get_by_role("region", name="In view")


def enroll_with_the_webcam(page: Page, name: str) -> None:
    page.get_by_role("button", name="Enroll a person").click()
    dialog = page.get_by_role("dialog", name="Enroll a person")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_role("button", name="Use the webcam").click()
    expect(dialog.get_by_text("Good: take the picture")).to_be_visible()
    dialog.get_by_role("button", name="Take a picture").click()
    expect(dialog.get_by_role("list", name="Pictures").get_by_text("Good")).to_be_visible()
    dialog.get_by_role("button", name="Enroll", exact=True).click()
    expect(dialog).to_be_hidden()


def enroll_recognize_and_forget(page: Page) -> None:
    """Enrolls who is before the webcam, is told the name in Live, forgets them, and is told no name."""
    expect(page.get_by_role("heading", name="No one is enrolled yet")).to_be_visible()
    enroll_with_the_webcam(page, "Ada Lovelace")
    expect(page.get_by_role("button", name="Ada Lovelace")).to_be_visible()

    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Use the webcam").click()
    expect(in_view(page).get_by_text("Ada Lovelace")).to_be_visible()
    expect(page.get_by_text("Ada Lovelace is in view.")).to_be_attached()

    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name="Ada Lovelace").click()
    page.get_by_role("button", name="Forget…").click()
    dialog = page.get_by_role("dialog", name="Forget Ada Lovelace?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Forget").click()
    expect(page.get_by_role("heading", name="No one is enrolled yet")).to_be_visible()

    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Use the webcam").click()
    expect(in_view(page).locator("strong")).to_have_text("Unknown")


def test_a_verdict_does_not_flicker(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    page = open_page("live").page
    page.get_by_role("button", name="Use the webcam").click()
    expect(in_view(page).get_by_text("Ada")).to_be_visible()
    shown = page.evaluate(
        """async () => {
          const seen = new Set(), list = document.querySelector(".in-view");
          const watch = new MutationObserver(() => seen.add(list.querySelector("strong")?.textContent ?? "none"));
          watch.observe(list, { subtree: true, childList: true, characterData: true });
          const recognized = () => document.querySelector(".numbers dd").textContent;
          for (let changes = 0, before = recognized(); changes < 20; await new Promise(requestAnimationFrame))
            if (recognized() !== before) [before, changes] = [recognized(), changes + 1];
          return [...seen];
        }"""
    )
    assert shown == ["Ada"]


@pytest.mark.usefixtures("client")
def test_a_person_is_enrolled_recognized_and_forgotten_in_the_page(open_page: Open) -> None:
    enroll_recognize_and_forget(open_page("people").page)


@pytest.mark.usefixtures("client")
def test_of_several_faces_one_is_chosen(
    open_page: Open, side_by_side: bytes, tmp_path: Path
) -> None:
    picture = tmp_path / "both.png"
    picture.write_bytes(side_by_side)
    page = open_page("people").page
    page.get_by_role("button", name="Enroll a person").click()
    page.get_by_label("Name", exact=True).fill("Bo")
    page.locator("dialog input[type=file]").set_input_files(picture)
    enroll = page.get_by_role("button", name="Enroll", exact=True)
    expect(page.get_by_text("Several faces: choose one.")).to_be_visible()
    expect(enroll).to_be_disabled()
    faces = page.get_by_role("group", name="Faces of picture 1").get_by_role("button")
    expect(faces).to_have_count(2)
    faces.first.click()
    expect(faces.first).to_have_attribute("aria-pressed", "true")
    enroll.click()
    expect(page.get_by_role("button", name="Bo", exact=False)).to_be_visible()


@pytest.mark.usefixtures("client")
def test_a_picture_without_a_face_is_not_enrolled(open_page: Open, tmp_path: Path) -> None:
    picture, text = tmp_path / "gray.jpg", tmp_path / "text.jpg"
    cv2.imwrite(str(picture), np.full((240, 320, 3), 128, np.uint8))
    text.write_text("this is text")
    page = open_page("people").page
    page.get_by_role("button", name="Enroll a person").click()
    page.get_by_label("Name", exact=True).fill("Bo")
    page.locator("dialog input[type=file]").set_input_files([picture, text])
    expect(page.get_by_text("No face was found.")).to_be_visible()
    expect(page.get_by_text("The browser cannot read this file.")).to_be_visible()
    expect(page.get_by_role("button", name="Enroll", exact=True)).to_be_disabled()


def test_a_person_is_renamed_and_gets_more_pictures(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person], tmp_path: Path
) -> None:
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    picture = tmp_path / "again.jpg"
    picture.write_bytes(portrait_of(pair[0]))
    page = open_page("people").page
    page.get_by_role("button", name="Ada").click()
    page.get_by_label("Name", exact=True).fill("Ada King")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("dialog", name="Ada King")).to_be_visible()
    page.get_by_role("button", name="Add pictures").click()
    page.locator("dialog input[type=file]").set_input_files(picture)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("dialog", name="Ada King").get_by_text("Picture 2")).to_be_visible()
    page.get_by_role("button", name="Delete picture 1").click()
    expect(page.get_by_text("Picture 2")).to_be_hidden()
    (ada,) = client.identities()
    assert (ada.display_name, ada.template_count) == ("Ada King", 1)


@pytest.mark.usefixtures("client")
def test_an_unknown_visitor_is_named_from_the_picture_that_was_kept(open_page: Open) -> None:
    watched = open_page("live")
    page = watched.page
    page.get_by_role("button", name="Use the webcam").click()
    expect(in_view(page).locator("strong")).to_have_text("Unknown")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("link", name="Events").click()
    visitor = (
        page.get_by_role("listitem")
        .filter(has_text="Unknown visitor")
        .filter(has=page.get_by_role("button"))
        .first
    )
    visitor.get_by_role("button").click()
    page.get_by_label("Name", exact=True).fill("Cy")
    page.get_by_role("button", name="Enroll", exact=True).click()
    page.get_by_role("link", name="People").click()
    expect(page.get_by_role("button", name="Cy")).to_be_visible()
    watched.forgive("404 (Not Found)")  # pictures of earlier visitors went with their people


def test_a_picture_and_a_film_are_recognized(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person], tmp_path: Path
) -> None:
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    picture = tmp_path / "ada.jpg"
    picture.write_bytes(portrait_of(pair[0]))
    page = open_page("live").page
    page.locator("input[type=file]").set_input_files(picture)
    expect(in_view(page).locator("strong")).to_have_text("Ada")
    shots = in_front_of_a_webcam(pair[1]).shots([number / 10 for number in range(40)])
    film = write_film(tmp_path / "other.mp4", (decoded(shot.jpeg) for shot in shots))
    page.locator("input[type=file]").set_input_files(film)
    expect(in_view(page).locator("strong")).to_have_text("Unknown")


def test_what_is_neither_picture_nor_film_is_refused(open_page: Open, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("this is text")
    page = open_page("live").page
    page.locator("input[type=file]").set_input_files(text)
    expect(page.get_by_role("alert")).to_have_text("The browser cannot read this file.")


def test_a_fault_of_a_page_would_be_noticed(open_page: Open) -> None:
    watched = open_page("health")
    watched.page.evaluate(
        """async () => {
          document.head.append(Object.assign(document.createElement("style"), { textContent: "* { color: red }" }));
          document.head.append(Object.assign(document.createElement("script"), { textContent: "document.title = 'evil'" }));
          await fetch("http://127.0.0.2:1/").catch(() => {});
          setTimeout(() => { throw new Error("thrown"); });
        }"""
    )
    watched.page.wait_for_event("pageerror")
    watched.page.goto("about:blank")
    watched.page.evaluate("fetch('http://127.0.0.2:1/').catch(() => {})")
    found = "\n".join(watched.faults)
    for expected in (
        "policy: style-src-elem inline",
        "policy: script-src-elem inline",
        "policy: connect-src http://127.0.0.2:1",
        "exception: thrown",
        "request to another place: http://127.0.0.2:1/",
    ):
        assert expected in found
    watched.faults.clear()


def test_a_page_can_be_used_without_a_mouse(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    page = open_page("people").page
    ada = page.get_by_role("button", name="Ada")
    ada.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Ada")
    expect(dialog).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(ada).to_be_focused()
