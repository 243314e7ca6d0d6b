"""The check of a gallery in the page: who is there twice is found, looked at, and forgotten."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

import facewire
from harness.browsers import Watched
from harness.made_people import Person, portrait_of

Open = Callable[..., Watched]


def test_who_is_there_twice_is_found_and_forgotten(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    client.enroll("1", [portrait_of(pair[0])] * 2, display_name="Ada")
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("2", [portrait_of(pair[0])] * 2, display_name="Countess")
    page = open_page("people").page
    page.get_by_role("button", name="Check", exact=True).click()
    doubles = page.get_by_role("region", name="Probably one person under two names")
    expect(doubles.get_by_text("Ada and Countess")).to_be_visible()
    doubles.get_by_role("button", name="Look at Countess").click()
    dialog = page.get_by_role("dialog", name="Countess")
    dialog.get_by_role("button", name="Forget…").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(page.get_by_text("Nothing was found among 1 person.")).to_be_visible()
    assert [each.display_name for each in client.identities()] == ["Ada"]
    page.get_by_role("button", name="Close the check").click()
    expect(doubles).to_have_count(0)


def test_a_picture_that_shows_another_person_is_deleted(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    right, wrong = portrait_of(pair[0]), portrait_of(pair[1])
    client.enroll("1", [right, right, wrong], display_name="Ada")
    page = open_page("people").page
    page.get_by_role("button", name="Check", exact=True).focus()
    page.keyboard.press("Enter")
    left_out = page.get_by_role("region", name="Pictures that resemble their person too little")
    left_out.get_by_role("button", name="Delete the picture…").click()
    dialog = page.get_by_role("dialog", name="Delete this picture of Ada?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Nothing was found among 1 person.")).to_be_visible()
    assert len(list(client.templates("1"))) == 2
