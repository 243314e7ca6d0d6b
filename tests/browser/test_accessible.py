"""axe finds nothing in any view, in light and dark, wide and on a phone; what it saw is kept as pictures."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import facewire
from browser.test_unknown import visit
from harness.browsers import Watched
from harness.made_people import Person, portrait_of

SIZES = {"wide": (1280, 800), "phone": (390, 844)}


def live(page: Page) -> None:
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.locator(".in-view strong").first).to_be_visible()


def why(page: Page) -> None:
    live(page)
    page.get_by_role("button", name="Why ").first.click()
    expect(page.get_by_role("dialog").get_by_text("The face", exact=True)).to_be_visible()


def nothing(page: Page) -> None:
    expect(page.locator("main h1")).to_be_visible()


def enrolling(page: Page) -> None:
    page.get_by_role("button", name="Enroll a person").click()
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.get_by_text("Good: take the picture")).to_be_visible()


def one_person(page: Page) -> None:
    page.get_by_role("button", name="Ada").click()
    expect(page.get_by_text("Picture 1")).to_be_visible()


def forgetting(page: Page) -> None:
    one_person(page)
    page.get_by_role("button", name="Forget…").click()


def naming(page: Page) -> None:
    page.get_by_role("button", name="Name the person of").first.click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(1)


def forgetting_unknown(page: Page) -> None:
    page.get_by_role("button", name="Forget the person of").first.click()


def unknown(page: Page) -> None:
    expect(page.get_by_role("heading", name="1 unknown person")).to_be_visible()


def checkup(page: Page) -> None:
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("region", name="Probably one person under two names")).to_be_visible()


SCENES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "begin": ("live", nothing),
    "live": ("live", live),
    "why": ("live", why),
    "people": ("people", nothing),
    "enroll": ("people", enrolling),
    "person": ("people", one_person),
    "forget": ("people", forgetting),
    "checkup": ("people", checkup),
    "events": ("events", unknown),
    "naming": ("events", naming),
    "forget-unknown": ("events", forgetting_unknown),
    "health": ("health", nothing),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    open_page: Callable[..., Watched],
    client: facewire.Client,
    pair: tuple[Person, Person],
    repository: Path,
    size: str,
    scheme: str,
) -> None:
    visit(client, pair[1], "door")
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada Lovelace")
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("bo", [portrait_of(pair[0])], display_name="Bo")
    width, height = SIZES[size]
    pictures = repository / "build" / "page"
    pictures.mkdir(parents=True, exist_ok=True)
    found = []
    for name, (view, scene) in SCENES.items():
        watched = open_page(
            view,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        page = watched.page
        scene(page)
        page.screenshot(path=pictures / f"{name}-{size}-{scheme}.png")
        found += [
            f"{name}: {each['id']}: {node['html'][:200]}"
            for each in Axe().run(page).response["violations"]
            for node in each["nodes"]
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{name}: {wide} pixels wider than the window"] if wide > 0 else []
        page.close()
        watched.forgive("404 (Not Found)")  # pictures of earlier visitors went with their people
    assert not found, "\n".join(found)
