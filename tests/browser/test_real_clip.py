"""The page before a person who was filmed: the lent clip of a woman is what the webcam shows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser

from browser.test_page import enroll_recognize_and_forget
from harness.browsers import Watched, another

Open = Callable[..., Watched]

MOST_FRAMES = 90
"""Three seconds, which are played forth and back: no jump when the film begins again."""


@pytest.fixture
def browser(browser: Browser, shared: Path, tmp_path: Path) -> Iterator[Browser]:
    """A further Chromium, before whose webcam the woman of the clip sits."""
    film = cv2.VideoCapture(str(shared / "video" / "woman_720p.mp4"))
    frames: list[bytes] = []
    while len(frames) < MOST_FRAMES:
        there, frame = film.read()
        assert there, "the clip is shorter than it was"
        frames.append(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    webcam = tmp_path / "woman.mjpeg"
    webcam.write_bytes(b"".join([*frames, *reversed(frames[1:-1])]))
    with another(browser.browser_type, webcam) as running:
        yield running


@pytest.mark.usefixtures("client")
def test_a_filmed_person_is_enrolled_recognized_and_forgotten_in_the_page(open_page: Open) -> None:
    enroll_recognize_and_forget(open_page("people").page)
