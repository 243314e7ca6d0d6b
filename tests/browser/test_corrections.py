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
