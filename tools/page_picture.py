"""Makes docs/page.png, the picture of the console's page: two people in front of a webcam, made unrecognizable.

    .venv/bin/python -m tools.page_picture

The page runs in Debian's Chromium, before a real server; the people are made of NASA's portrait of Eileen Collins (public domain,
from scikit-image). Faces are found in the picture of the page and blurred; boxes and names, which the page drew, stay as they are.
"""

import tempfile
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

import facewire
from harness.browsers import chromium, in_front_of_a_webcam, write_webcam
from harness.console_running import running_console
from harness.made_people import made_pair, portrait_of
from harness.running import running_server
from tools.readme_picture import blur

__all__ = ["main"]

PICTURE = Path(__file__).resolve().parents[1] / "docs/page.png"
"""The picture that is written."""

_SIZE_PX: Final = (1180, 720)


def _screenshot(page: Page) -> NDArray[np.uint8]:
    """Returns (height, width, 3) uint8 RGB."""
    decoded = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(decoded, np.uint8)


def _show(page: Page) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Recognizes the people before the webcam, and returns the page without and with what was drawn over them."""
    page.get_by_role("button", name="Use the webcam").click()
    page.locator(".in-view strong", has_text="Eileen Collins").wait_for()
    page.locator(".in-view strong", has_text="Unknown").wait_for()
    page.wait_for_function("document.querySelector('.numbers dd').textContent !== '–'")
    page.locator("video").evaluate("(video) => video.pause()")
    page.wait_for_timeout(500)  # the last results come, and boxes glide to their places
    drawn = _screenshot(page)
    page.locator(".overlay").evaluate("(canvas) => (canvas.style.visibility = 'hidden')")
    return _screenshot(page), drawn


def main() -> None:
    """Enrolls, recognizes in the page, blurs and writes."""
    known, stranger = made_pair()
    with (
        tempfile.TemporaryDirectory() as scratch,
        running_server() as server,
        running_console(server.address) as console,
        facewire.Client(server.address) as client,
        chromium(
            write_webcam(Path(scratch) / "two.mjpeg", in_front_of_a_webcam(known, stranger))
        ) as browser,
    ):
        client.enroll("eileen-collins", [portrait_of(known)], display_name="Eileen Collins")
        page = browser.new_page(
            viewport={"width": _SIZE_PX[0], "height": _SIZE_PX[1]}, color_scheme="light"
        )
        page.goto(console.url)
        bare, drawn = _show(page)
        faces = client.recognize(bare).faces
    over = (bare != drawn).any(axis=2)
    for face in faces:
        blur(bare, face.box)
    bare[over] = drawn[over]
    Image.fromarray(bare).quantize(dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
