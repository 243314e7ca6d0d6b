"""The page while its server is away and comes back, another gallery, and what runs behind the server's port."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

import facewire
from harness.browsers import Watched
from harness.console_running import RunningConsole, running_console
from harness.made_people import Person, portrait_of
from harness.model_servers import free_port
from harness.running import running_server

Open = Callable[..., Watched]


def lamp(page: Page, text: str) -> None:
    expect(page.locator(".rail .lamp")).to_have_text(text)


def test_another_gallery_has_other_people(
    open_page: Open, client: facewire.Client, pair: tuple[Person, Person]
) -> None:
    staff = client.create_gallery(f"staff-{uuid.uuid4().hex[:8]}", display_name="Staff")
    client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
    client.enroll("bo", [portrait_of(pair[1])], display_name="Bo", gallery=staff.gallery_id)
    page = open_page("people").page
    expect(page.get_by_role("button", name="Ada")).to_be_visible()
    page.get_by_label("Gallery").select_option(label="Staff")
    expect(page.get_by_role("button", name="Bo")).to_be_visible()
    expect(page.get_by_role("button", name="Ada")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Bo")).to_be_visible()
    client.delete_gallery(staff.gallery_id)


def test_the_page_goes_on_after_its_server_was_killed_and_health_shows_what_runs(
    open_page: Open, models: Path, tmp_path: Path, pair: tuple[Person, Person]
) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    kept: dict[str, Any] = {
        "data": tmp_path / "data",
        "metrics_listen": metrics,
        "frame_timeout_s": 60,
    }
    with running_server(**kept) as server:
        with facewire.Client(server.address) as client:
            client.enroll("ada", [portrait_of(pair[0])], display_name="Ada")
        with running_console(server.address, server_metrics=metrics) as console:
            _go_on(open_page, console, kept, server.kill, server.address)


def _go_on(
    open_page: Open,
    console: RunningConsole,
    kept: dict[str, Any],
    kill: Callable[[], None],
    address: str,
) -> None:
    watched = open_page("live", at=console)
    page = watched.page
    in_view = page.get_by_role("region", name="In view")
    page.get_by_role("button", name="Use the webcam").click()
    expect(in_view.get_by_text("Ada")).to_be_visible()
    kill()
    lamp(page, "No server")
    with running_server(listen=address, **kept):
        lamp(page, "Serving")
        with facewire.Client(address) as client:
            client.rename_identity("ada", "Ada King")
        expect(in_view.get_by_text("Ada King")).to_be_visible()  # so its results are new ones
        page.get_by_role("link", name="Health").click()
        panel = page.locator(".operations")
        expect(panel.get_by_text("1 process")).to_be_visible()
        rows = panel.get_by_role("row", name=re.compile("^embedding proven 1 of 1"))
        expect(rows).to_be_visible()
        expect(panel.get_by_text("half below")).to_be_visible()
        page.goto("about:blank")
    watched.forgive("503 (Service Unavailable)", "504 (Gateway Timeout)")
