"""What is put right in the gallery is right on the page: what another client changes, and what the page itself merges and splits."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

import facewire
from browser.test_unknown import visit
from harness.browsers import Watched
from harness.made_people import Person, portrait_of

Open = Callable[..., Watched]


def visitor(page: Page, name: str):
    return page.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True))


def test_an_open_page_names_no_one_whom_another_client_has_merged_or_deleted(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    client.enroll("ada-2", [portrait_of(pair[0])], display_name="Countess")
    visit(client, pair[0], "door")
    watched = open_page("events")
    page = watched.page
    expect(visitor(page, "Countess")).to_have_count(1)
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    client.merge_identities("ada", "ada-2")
    expect(visitor(page, "Ada")).to_have_count(1)
    expect(visitor(page, "Countess")).to_have_count(0)
    client.rename_identity("ada", "Ada King")
    expect(visitor(page, "Ada King")).to_have_count(1)
    client.delete_identity("ada")
    expect(visitor(page, "Ada King")).to_have_count(0)
    expect(visitor(page, "Ada")).to_have_count(0)
    watched.forgive("404 (Not Found)")  # pictures of earlier visitors went with their people


def test_who_is_there_twice_is_merged_and_it_is_taken_back(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    client.enroll("1", [portrait_of(pair[0])] * 2, display_name="Ada")
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("2", [portrait_of(pair[0])] * 2, display_name="Countess")
    client.add_negative_example("2", portrait_of(pair[1]))
    kept = [each.template_id for each in client.templates("1")]
    moved = [each.template_id for each in client.templates("2")]
    page = open_page("people").page
    page.get_by_role("button", name="Check", exact=True).click()
    doubles = page.get_by_role("region", name="Probably one person under two names")
    expect(doubles.get_by_text("merge them")).to_be_visible()
    doubles.get_by_role("button", name="Merge Ada and Countess").click()
    dialog = page.get_by_role("dialog", name="Merge these two?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    expect(dialog.get_by_text("The pictures of Countess become those of Ada")).to_be_visible()
    dialog.get_by_role("radio", name="Countess").check()
    expect(dialog.get_by_text("The pictures of Ada become those of Countess")).to_be_visible()
    dialog.get_by_role("radio", name="Ada").check()
    dialog.get_by_role("button", name="Merge", exact=True).press("Enter")
    expect(page.get_by_text("Countess is merged into Ada.")).to_be_visible()
    expect(page.get_by_text("Nothing was found among 1 person.")).to_be_visible()
    assert [each.display_name for each in client.identities()] == ["Ada"]
    assert [each.template_id for each in client.templates("1")] == kept + moved

    expect(page.get_by_text("1 face is noted as not Ada.")).to_be_visible()
    page.get_by_role("button", name="Look at the faces that are not Ada").click()
    ada = page.get_by_role("dialog", name="Ada")
    ada.get_by_role("button", name="Take back face 1").click()
    expect(ada.get_by_role("button", name="Take back face 1")).to_have_count(0)
    assert list(client.negative_examples("1")) == []
    ada.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Take it back…").click()
    dialog = page.get_by_role("dialog", name="Someone else among the pictures of Ada")
    expect(dialog.get_by_label("Their name")).to_have_value("Countess")
    chosen = [dialog.get_by_role("checkbox", name=f"Picture {number}") for number in range(1, 5)]
    for box, is_chosen in zip(chosen, (False, False, True, True), strict=True):
        expect(box).to_be_checked(checked=is_chosen)
    dialog.get_by_role("button", name="Cancel").click()

    page.locator(".people-grid").get_by_role("button", name="Ada").click()
    page.get_by_role("button", name="Some are someone else…").click()
    dialog = page.get_by_role("dialog", name="Someone else among the pictures of Ada")
    make = dialog.get_by_role("button", name="Make a new person")
    dialog.get_by_label("Their name").fill("Countess")
    expect(make).to_be_disabled()
    for number in (1, 2, 3, 4):
        dialog.get_by_role("checkbox", name=f"Picture {number}").press("Space")
    expect(make).to_be_disabled()
    for number in (1, 2):
        dialog.get_by_role("checkbox", name=f"Picture {number}").uncheck()
    make.click()
    expect(page.get_by_text("2 pictures of Ada are Countess's now.")).to_be_visible()
    expect(page.get_by_role("dialog", name="Ada").get_by_text("Picture 3")).to_be_hidden()
    (countess,) = (each for each in client.identities() if each.display_name == "Countess")
    assert [each.template_id for each in client.templates(countess.identity_id)] == moved
    assert [each.template_id for each in client.templates("1")] == kept
    assert "Countess" not in countess.identity_id
