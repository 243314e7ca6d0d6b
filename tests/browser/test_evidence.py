"""Why a face has a name or has none, in the page: in plain words, without a mouse if need be, and with a hint if there is one."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

import facewire
from browser.test_unknown import visit
from harness.browsers import Watched
from harness.console_running import running_console
from harness.made_people import Person, portrait_of
from harness.running import running_server

Open = Callable[..., Watched]


def opened_picture(page: Page, folder: Path, person: Person) -> None:
    picture = folder / "picture.jpg"
    picture.write_bytes(portrait_of(person))
    page.locator("input[type=file]").set_input_files(picture)


def fact(dialog: Locator, label: str) -> Locator:
    """What the list of facts says about something."""
    return dialog.locator("dl > div").filter(has=dialog.page.get_by_text(label, exact=True))


def test_a_picture_says_why_without_a_mouse(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person], tmp_path: Path
) -> None:
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    client.enroll("bo", [portrait_of(pair[1])], display_name="Bo")
    page = open_page("live").page
    opened_picture(page, tmp_path, pair[0])
    why = page.get_by_role("button", name="Why Ada?")
    why.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Why “Ada”?")
    expect(dialog.get_by_text("Ada is similar enough, and no one else is.")).to_be_visible()
    expect(fact(dialog, "Similarity")).to_contain_text("to Ada: 0.")
    expect(fact(dialog, "Similarity").get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(r"^Similarity \d\.\d\d, 0\.\d\d is asked for$")
    )
    expect(fact(dialog, "Next person")).to_contain_text("Bo comes next")
    expect(fact(dialog, "Threshold")).to_contain_text("among 2 people")
    expect(fact(dialog, "Errors (estimated)")).to_contain_text(
        "Fewer than 1 comparison of two different people in 1,000,000 reach this similarity"
    )
    expect(fact(dialog, "Compared with")).to_contain_text("One picture of the person.")
    expect(fact(dialog, "The face")).to_contain_text("px between the eyes")
    expect(dialog.get_by_text("experimental")).to_have_count(0)
    (template,) = client.templates("ada")
    dialog.get_by_text("Its id").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_text(template.template_id)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(why).to_be_focused()


def test_who_is_unknown_says_why_also_before_a_webcam(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    client.enroll("bo", [portrait_of(pair[1])], display_name="Bo")
    watched = open_page("live")
    page = watched.page
    page.get_by_role("button", name="Use the webcam").click()
    page.get_by_role("button", name="Why Unknown?").click()
    dialog = page.get_by_role("dialog", name="Why “Unknown”?")
    expect(dialog.get_by_text("No person of the gallery is similar enough.")).to_be_visible()
    expect(fact(dialog, "Similarity")).to_contain_text("below the threshold")
    expect(fact(dialog, "Next person")).to_contain_text("no other person")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    client.delete_identity("bo")
    expect(page.get_by_text("0.00 similar")).to_be_visible()
    page.get_by_role("button", name="Why Unknown?").click()
    expect(dialog.get_by_text("The gallery has no person to compare with.")).to_be_visible()
    expect(fact(dialog, "Threshold")).to_have_count(0)


def test_a_hint_of_a_presentation_attack_is_shown_as_one(
    open_page: Open, attack_model: Path, pair: tuple[Person, Person], tmp_path: Path
) -> None:
    with (
        running_server(presentation_attacks=True, frame_timeout_s=60) as looking,
        running_console(looking.address) as console,
        facewire.Client(looking.address) as client,
    ):
        visit(client, pair[1], "door")
        page = open_page("live", at=console).page
        opened_picture(page, tmp_path, pair[0])
        page.get_by_role("button", name="Why Unknown?").click()
        hint = fact(page.get_by_role("dialog"), "Hint (experimental)")
        expect(hint).to_contain_text(re.compile(r"Presentation attack: [01]\.\d\d of 1"))
        expect(hint).to_contain_text("never let it open a door")
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Events").click()
        seen = page.get_by_text(
            re.compile(r"^Hint of a presentation attack \(experimental\): [01]\.\d\d")
        )
        expect(seen).to_have_count(1)
        page.goto("about:blank")
