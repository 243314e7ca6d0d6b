"""A real Chromium, Debian's, whose webcam plays a film, and a page of it that is watched for faults."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import pi, sin
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserType, ConsoleMessage, Page, Request, sync_playwright

from harness.made_films import Film, Place
from harness.made_people import Person

__all__ = [
    "Watched",
    "another",
    "chromium",
    "chromium_path",
    "in_front_of_a_webcam",
    "write_webcam",
]

_FPS: Final = 30.0
"""Frames a second at which Chromium plays a webcam's file."""

_PERIOD_S: Final = 4.0
"""Length of a webcam's film, after which it begins again where it began. Chosen, not measured."""

_FACE_PX: Final = 150.0
"""Width of a face that looks into a webcam. Chosen, not measured."""

_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
"""Reports what the page's Content-Security-Policy refused as an error of its console."""


def chromium_path() -> str | None:
    """Returns where Debian's Chromium is installed; None if it is not."""
    return shutil.which("chromium")


def in_front_of_a_webcam(*people: Person) -> Film:
    """Returns a film of people side by side who sway a little, and end where they began."""

    def at(index: int, now_s: float) -> Place:
        turn = 2 * pi * now_s / _PERIOD_S
        return Place(
            (index + 0.5) * 640 / len(people) + 12 * sin(turn), 230 + 4 * sin(2 * turn), _FACE_PX
        )

    paths = (
        (person, lambda now_s, index=index: at(index, now_s)) for index, person in enumerate(people)
    )
    return Film("in front of a webcam", _PERIOD_S, tuple(paths))


def write_webcam(path: Path, film: Film) -> Path:
    """Writes a film as Chromium's fake webcam plays it, again and again: JPEGs one after the other."""
    path.write_bytes(b"".join(shot.jpeg for shot in film.shots(film.times(_FPS))))
    return path


@contextlib.contextmanager
def chromium(webcam: Path) -> Iterator[Browser]:
    """Runs Chromium until the block ends; its webcam plays a file of `write_webcam`, and every page may use it."""
    with sync_playwright() as playwright, another(playwright.chromium, webcam) as browser:
        yield browser


@contextlib.contextmanager
def another(kind: BrowserType, webcam: Path) -> Iterator[Browser]:
    """Runs a further Chromium, of a running one's `browser_type`, as `chromium` does: a thread has one Playwright."""
    arguments = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={webcam}",
    ]
    browser = kind.launch(executable_path=chromium_path(), args=arguments)
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Watched:
    """A page, and what went wrong in it.

    Attributes:
        page: the page.
        origin: scheme, host and port that it may ask.
        faults: errors and warnings of its console, refusals of its policy, exceptions, and requests to others.
    """

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)
    _forgiven: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_VIOLATIONS)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        self.page.on("request", self._request)
        self.page.on("websocket", lambda socket: self._asked(socket.url.replace("ws", "http", 1)))

    def forgive(self, *texts: str) -> None:
        """Takes expected faults off the list, also those that come until the page is closed: those that hold one of the texts."""
        self._forgiven += texts
        self.faults = [fault for fault in self.faults if not self._is_forgiven(fault)]

    def _is_forgiven(self, fault: str) -> bool:
        return any(text in fault for text in self._forgiven)

    def _console(self, message: ConsoleMessage) -> None:
        fault = f"{message.type}: {message.text}"
        if message.type in ("error", "warning") and not self._is_forgiven(fault):
            self.faults.append(fault)

    def _request(self, request: Request) -> None:
        self._asked(request.url)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.faults.append(f"request to another place: {url}")
