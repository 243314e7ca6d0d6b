"""What the tests of the page share: a real server, a real console before it, and Debian's Chromium with a fake webcam."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, expect

import facewire
from harness.browsers import Watched, chromium, chromium_path, in_front_of_a_webcam, write_webcam
from harness.console_running import RunningConsole, running_console
from harness.made_people import Person, made_pair, portrait_of
from harness.model_servers import free_port
from harness.running import RunningServer, running_server

Open = Callable[..., Watched]

_PATIENCE_MS = 60_000
"""Of a busy machine."""

expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture(scope="session")
def pair() -> tuple[Person, Person]:
    """Two people, strangers to each other."""
    return made_pair()


@pytest.fixture(scope="session")
def side_by_side(pair: tuple[Person, Person]) -> bytes:
    """A PNG of both people."""
    both = [
        cv2.imdecode(np.frombuffer(portrait_of(each), np.uint8), cv2.IMREAD_COLOR) for each in pair
    ]
    height = min(each.shape[0] for each in both if each is not None)
    picture = np.hstack([each[:height] for each in both if each is not None])
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture(scope="session")
def browser(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[Person, Person]
) -> Iterator[Browser]:
    """Chromium; before its webcam sits the first of the pair."""
    if chromium_path() is None:
        pytest.skip("needs Debian's package chromium")
    film = write_webcam(
        tmp_path_factory.mktemp("webcam") / "one.mjpeg", in_front_of_a_webcam(pair[0])
    )
    with chromium(film) as running:
        yield running


@pytest.fixture(scope="session")
def metrics() -> str:
    """Where the server has its page of metrics."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def server(models: Path, metrics: str) -> Iterator[RunningServer]:
    """A server that keeps pictures of visitors, and groups those whom it does not know."""
    with running_server(
        frame_timeout_s=60, keep_crops=True, keep_unknown_hours=1, metrics_listen=metrics
    ) as running:
        yield running


@pytest.fixture(scope="session")
def console(server: RunningServer, metrics: str) -> Iterator[RunningConsole]:
    with running_console(server.address, server_metrics=metrics) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    """A client, after whose test no one is in the gallery, or kept as unknown."""
    with facewire.Client(server.address) as connected:
        yield connected
        for identity in connected.identities():
            connected.delete_identity(identity.identity_id)
        connected.forget_all_unknown()


@pytest.fixture
def open_page(browser: Browser, console: RunningConsole) -> Iterator[Open]:
    """Opens pages of the console, or of another one: `open_page("people", at=other, color_scheme="dark")`. A fault in one fails the test."""
    opened: list[tuple[BrowserContext, Watched]] = []

    def open_page(
        view: str = "live", *, at: RunningConsole = console, **options: object
    ) -> Watched:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(_PATIENCE_MS)
        watched = Watched(context.new_page(), at.url)
        opened.append((context, watched))
        watched.page.goto(f"{at.url}/#{view}")
        return watched

    yield open_page
    for context, _ in opened:
        context.close()
    assert [fault for _, watched in opened for fault in watched.faults] == []
