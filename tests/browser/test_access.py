"""The page of a console with a login, and of one whose token has few roles: nothing is offered that is not permitted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import facewire
from facewire_server.access.roles import Role
from facewire_server.access.token_changes import revoke_token
from harness.browsers import Watched
from harness.console_running import RunningConsole, running_console
from harness.made_people import Person, portrait_of
from harness.roles import with_token
from harness.running import RunningServer, running_server

Open = Callable[..., Watched]

LOGIN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens") / "tokens"


@pytest.fixture(scope="module")
def strict(models: Path, tokens: Path, pair: tuple[Person, Person]) -> Iterator[RunningServer]:
    """A server that asks for tokens, with Ada in its gallery."""
    operator = with_token(tokens, "first", Role.OPERATOR)
    with running_server(token_file=tokens, frame_timeout_s=60) as running:
        with facewire.Client(running.address, token=operator) as client:
            client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
        yield running


@contextmanager
def console_of(
    server: RunningServer, tokens: Path, folder: Path, label: str, *roles: Role, **settings: object
) -> Iterator[RunningConsole]:
    """A console whose token has these roles."""
    file = folder / label
    file.write_text(with_token(tokens, label, *roles))
    with running_console(server.address, server_token_file=file, **settings) as running:
        yield running


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_a_browser_signs_in_and_out_and_sees_what_it_may_no_longer(
    open_page: Open, strict: RunningServer, tokens: Path, tmp_path: Path
) -> None:
    login = tmp_path / "login"
    login.write_text(LOGIN)
    with console_of(
        strict, tokens, tmp_path, "desk", Role.OPERATOR, login_token_file=login
    ) as console:
        watched = open_page("people", at=console)
        page = watched.page
        page.get_by_label("Token").fill("x" * 32)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("This is not the token.")
        page.get_by_label("Token").fill(LOGIN)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Ada")).to_be_visible()
        assert LOGIN not in page.url
        assert page.evaluate("document.cookie") == "", "no script reads it"

        revoke_token(tokens, "desk")
        page.get_by_role("link", name="Health").click()
        expect(page.locator(".rail").get_by_text("No access")).to_be_visible()
        (tmp_path / "desk").write_text(with_token(tokens, "desk", Role.CAMERA))
        expect(page.locator(".rail").get_by_text("Serving")).to_be_visible()
        page.get_by_role("link", name="People").click()
        heading(page, "This cannot be shown")
        expect(page.get_by_text("enroller or operator")).to_be_visible()

        page.get_by_role("button", name="Sign out").click()
        heading(page, "Sign in")
        page.reload()
        heading(page, "Sign in")
        watched.forgive("401 (Unauthorized)", "403 (Forbidden)", "502 (Bad Gateway)")


def test_a_camera_is_shown_nobody(
    open_page: Open, strict: RunningServer, tokens: Path, tmp_path: Path
) -> None:
    with console_of(strict, tokens, tmp_path, "camera", Role.CAMERA) as console:
        page = open_page("people", at=console).page
        for view in ("People", "Events"):
            page.get_by_role("link", name=view).click()
            heading(page, view)
            heading(page, "This cannot be shown")
        page.get_by_role("link", name="Live").click()
        page.get_by_role("button", name="Use the webcam").click()
        expect(page.get_by_role("region", name="In view").get_by_text("Ada")).to_be_visible()
        expect(page.get_by_role("button", name="Name")).to_have_count(0)
        page.goto("about:blank")  # before its console ends


def test_an_enroller_changes_people_and_sees_no_events(
    open_page: Open, strict: RunningServer, tokens: Path, tmp_path: Path
) -> None:
    with console_of(strict, tokens, tmp_path, "enroller", Role.ENROLLER) as console:
        page = open_page("events", at=console).page
        heading(page, "This cannot be shown")
        page.get_by_role("link", name="People").click()
        expect(page.get_by_role("button", name="Enroll a person")).to_be_visible()
        page.get_by_role("button", name="Ada").click()
        for action in ("Rename", "Forget…", "Add pictures"):
            expect(page.get_by_role("button", name=action)).to_be_visible()
        page.goto("about:blank")
