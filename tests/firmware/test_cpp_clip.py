"""The C++ camera streams a lent clip of a person to a real server, which names them by a picture of the clip's beginning."""

from pathlib import Path

import cv2
import pytest

import facewire
from harness.cpp_camera import CppCamera
from harness.running import running_server

pytestmark = pytest.mark.timeout(900)  # the first test builds the client

APART = 3
"""Frames of the clip from one picture to the next: as a camera that sends about ten a second."""


@pytest.fixture(scope="module")
def clip(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of about sixty JPEGs."""
    film = shared / "video" / "woman_720p.mp4"
    if not film.is_file():
        pytest.skip("needs the lent clips; there are none")
    folder = tmp_path_factory.mktemp("clip")
    capture = cv2.VideoCapture(str(film))
    for number in range(60 * APART):
        is_read, picture = capture.read()
        if is_read and number % APART == 0:
            assert cv2.imwrite(str(folder / f"{number:04}.jpg"), picture)
    capture.release()
    return folder


def test_a_person_of_a_clip_is_recognized_by_its_first_picture(camera, models, clip):
    first, *later = sorted(clip.iterdir())
    with running_server(frame_timeout_s=60) as server:
        with facewire.Client(server.address) as client:
            enrolled = client.enroll("person-a", [first], display_name="Person A")
            assert enrolled.pictures[0].accepted
        first.unlink()
        with CppCamera(camera, clip, server.address, "--every-frame") as run:
            assert run.wait() == 0
    assert [line.status for line in run.accounted] == ["OK"] * len(later)
    assert run.is_in_order()
    came = [event for event in run.events if event.startswith("came: ")]
    assert [event.partition(" (")[0] for event in came] == ["came: Person A"]
    named = [line for line in run.accounted if line.names == ("Person A",)]
    assert len(named) > len(later) / 2
