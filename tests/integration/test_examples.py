"""The examples of the Python client run, and say what they say they say."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

import facewire


@pytest.fixture(scope="module")
def place(server, astronaut, tmp_path_factory):
    """A folder with a photo of Eileen Collins, one of nobody, a clip; and she is enrolled."""
    folder = tmp_path_factory.mktemp("place")
    portrait = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    cv2.imwrite(str(folder / "eileen.jpg"), portrait)
    cv2.imwrite(str(folder / "nobody.jpg"), np.full_like(portrait, 128))
    clip = cv2.VideoWriter(
        str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (256, 256)
    )
    for _ in range(10):
        clip.write(portrait)
    clip.release()
    with facewire.Client(server.address) as client:
        client.enroll("example-eileen", folder / "eileen.jpg", display_name="Eileen Collins")
        yield folder
        client.delete_identity("example-eileen")


def run(repository, place, name, *arguments):
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-W", "error", repository / "clients/python/examples" / name, *arguments],
        cwd=place, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_doorbell_greets_once(repository, place, server):
    said = run(repository, place, "doorbell.py", "clip.avi", server.address)
    assert said == "Welcome, Eileen Collins!\n"


def test_many_cameras_are_watched_at_once(repository, place, server):
    said = run(repository, place, "many_cameras.py", server.address, "a=clip.avi", "b=clip.avi")
    assert {"a: Eileen Collins", "b: Eileen Collins"} <= set(said.splitlines())


def test_photos_of_somebody_are_found(repository, place, server):
    (line,) = run(
        repository, place, "find_in_photos.py", "example-eileen", ".", server.address
    ).splitlines()
    assert line.endswith("eileen.jpg")


def test_people_with_too_few_pictures_are_listed(repository, place, server):
    said = run(repository, place, "tidy_gallery.py", server.address)
    assert "example-eileen\tEileen Collins\t1 of 3" in said.splitlines()


def test_every_example_is_told_and_tested(repository):
    folder = repository / "clients/python/examples"
    told = (folder / "README.md").read_text(encoding="utf-8")
    tests = (repository / "tests/integration/test_examples.py").read_text(encoding="utf-8")
    for path in folder.glob("*.py"):
        assert f"`{path.name}`" in told
        assert f'"{path.name}"' in tests
