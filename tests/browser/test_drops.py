"""Files that are dropped from the desktop, as Chromium hands them to the page: in Live, and to be enrolled."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

import facewire
from harness.browsers import Watched
from harness.made_people import Person, portrait_of

Open = Callable[..., Watched]


@pytest.fixture
def picture(tmp_path: Path, pair: tuple[Person, Person]) -> Path:
    path = tmp_path / "ada.jpg"
    path.write_bytes(portrait_of(pair[0]))
    return path


def drag(target: Locator, *files: Path, kinds: tuple[str, ...]) -> None:
    """Drags files over the middle of an element (Chrome DevTools Protocol, `Input.dispatchDragEvent`)."""
    box = target.bounding_box()
    assert box is not None
    session = target.page.context.new_cdp_session(target.page)
    for kind in kinds:
        session.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "data": {
                    "items": [],
                    "files": [str(file) for file in files],
                    "dragOperationsMask": 1,
                },
            },
        )


def drop(target: Locator, *files: Path) -> None:
    drag(target, *files, kinds=("dragEnter", "dragOver", "drop"))


def test_a_picture_that_is_dropped_in_live_is_recognized(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person], picture: Path
) -> None:
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    page = open_page("live").page
    stage = page.locator(".stage")
    drag(stage, picture, kinds=("dragEnter", "dragOver"))
    expect(page.locator(".stage.over")).to_have_count(1)
    drag(stage, picture, kinds=("drop",))
    expect(page.get_by_role("region", name="In view").get_by_text("Ada")).to_be_visible()
    expect(page.locator(".stage.over")).to_have_count(0)


def test_pictures_that_are_dropped_on_people_and_on_the_dialog_are_enrolled(
    open_page: Open, client: facewire.Client, picture: Path
) -> None:
    page = open_page("people").page
    drop(page.locator(".people"), picture)
    dialog = page.get_by_role("dialog", name="Enroll a person")
    tiles = dialog.get_by_role("list", name="Pictures").get_by_role("listitem")
    expect(tiles).to_have_count(1)
    drop(dialog.locator(".drop"), picture, picture)
    expect(tiles).to_have_count(3)
    dialog.get_by_label("Name", exact=True).fill("Ada")
    dialog.get_by_role("button", name="Enroll", exact=True).click()
    expect(dialog).to_be_hidden()
    (ada,) = client.identities()
    assert (ada.display_name, ada.template_count) == ("Ada", 3)
