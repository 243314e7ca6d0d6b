"""A visit with a wrong name is corrected in the page, from the picture that is kept of it, and that is taken back."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import facewire
from browser.test_unknown import visit
from harness.browsers import Watched
from harness.made_people import Person, portrait_of

Open = Callable[..., Watched]


def taken_for_ada(client: facewire.Client, person: Person) -> facewire.Face:
    """Enrolls Ada so that a person, who is another one, has a visit with her name; returns what the server sees."""
    jpeg = np.frombuffer(portrait_of(person), np.uint8)
    pixels = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB), np.uint8)
    wide = cv2.resize(pixels, None, fx=1.4, fy=1)  # similar, and not the same
    client.enroll("ada", facewire.Image.from_array(wide), display_name="Ada")
    visit(client, person, "door")
    (face,) = client.recognize(portrait_of(person)).faces
    assert face.name == "Ada"
    return face


def test_a_wrong_name_is_corrected_without_a_mouse_and_that_is_taken_back(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    taken_for_ada(client, pair[0])
    watched = open_page("events", viewport={"width": 390, "height": 844})
    page = watched.page
    wrong = page.get_by_role("button", name="This is not Ada, on the visit").first
    wrong.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="This is not Ada?")
    picture = dialog.get_by_role("img", name="The picture of the visit")
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    assert [each["id"] for each in Axe().run(page).response["violations"]] == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Noted: this is not Ada.")).to_be_visible()
    expect(page.get_by_text("Noted: not Ada", exact=True)).to_have_count(1)
    (example,) = client.negative_examples("ada")
    assert example.source == "console"
    (face,) = client.recognize(portrait_of(pair[0]), explain=True).faces
    judgment = face.decision.judgment
    assert face.name is None
    assert judgment is not None
    assert judgment.deciding_rule is facewire.DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE

    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name="Ada").click()
    ada = page.get_by_role("dialog", name="Ada")
    expect(ada.get_by_role("heading", name="Not Ada")).to_be_visible()
    ada.get_by_role("button", name="Take back face 1").click()
    expect(ada.get_by_role("heading", name="Not Ada")).to_have_count(0)
    assert list(client.negative_examples("ada")) == []
    (face,) = client.recognize(portrait_of(pair[0])).faces
    assert face.name == "Ada"
    watched.forgive("404 (Not Found)")  # pictures of earlier visitors went with their people


def test_the_evidence_says_who_was_passed_over(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person], tmp_path: Path
) -> None:
    taken_for_ada(client, pair[0])
    client.add_negative_example("ada", portrait_of(pair[0]))
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(portrait_of(pair[0]))
    page = open_page("live").page
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_role("button", name="Why Unknown?").click()
    dialog = page.get_by_role("dialog")
    expect(
        dialog.get_by_text("The face is nearer to one that is not Ada than to Ada.")
    ).to_be_visible()
    passed_over = re.compile(
        r"^Ada is 0\.\d+ similar, but a face that is not this person is 0\.9\d+ similar"
    )
    expect(dialog.get_by_text(passed_over)).to_be_visible()


def test_a_picture_that_is_gone_meanwhile_is_said_to_be(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    taken_for_ada(client, pair[0])
    watched = open_page("events")
    page = watched.page
    page.get_by_role("button", name="This is not Ada, on the visit").first.click()
    client.delete_identity("ada")
    dialog = page.get_by_role("dialog", name="This is not Ada?")
    dialog.get_by_role("button", name="This is not Ada").click()
    expect(dialog.get_by_role("alert")).to_contain_text("no longer")
    watched.forgive("404 (Not Found)")
