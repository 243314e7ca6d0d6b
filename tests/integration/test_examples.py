"""The examples of the Python client run, and say what they say they say."""

import os
import shutil
import subprocess
import sys
import threading
import time

import cv2
import grpc
import numpy as np
import pytest

import facewire
from fakes.server import TRACKED, FakeServer, failure
from harness.running import running_server


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


def started(repository, place, name, *arguments):
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-W", "error", repository / "clients/python/examples" / name, *arguments],
        cwd=place, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def said_by(example):
    try:
        out, errors = example.communicate(timeout=60)
    finally:
        example.kill()
    assert example.returncode == 0, errors
    return out


def run(repository, place, name, *arguments):
    return said_by(started(repository, place, name, *arguments))


def test_the_doorbell_greets_once(repository, place, server):
    said = run(repository, place, "doorbell.py", "clip.avi", server.address)
    assert said == "Welcome, Eileen Collins!\n"


def test_the_doorbell_greets_once_over_breaks_and_waits_for_a_place_on_a_full_server(
    repository, place
):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", retry_after_s=0.01)
    broken = failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2")
    with FakeServer(features=TRACKED) as server:
        with facewire.Client(server.address) as client:
            client.enroll("eileen", place / "eileen.jpg", display_name="Eileen Collins")
        server.fail_next("StreamRecognize", full, times=2)
        server.end_after, server.end_status = 4, broken
        said = run(repository, place, "doorbell.py", "clip.avi", server.address)
        assert server.calls["StreamRecognize"] > 3
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


@pytest.fixture(scope="module")
def narrow(models, place):
    """A server with one place for a stream, and one for a call of a connection; she is enrolled."""
    with running_server(max_streams=1, max_calls_per_connection=1) as server:
        with facewire.Client(server.address) as client:
            client.enroll("eileen", place / "eileen.jpg", display_name="Eileen Collins")
        yield server


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("many_cameras.py", ("SERVER", "a=clip.avi"), "a: Eileen Collins"),
    ],
)
def test_a_stream_waits_for_a_place_on_a_full_server(
    repository, place, narrow, name, arguments, said
):
    refused = narrow.log().count('"stream_refused"')
    frames_end = threading.Event()

    def frames():
        while not frames_end.wait(0.1):  # a stream without frames would lose its place
            yield place / "nobody.jpg"

    with facewire.Client(narrow.address) as client, client.stream(frames()) as holding:
        reading = threading.Thread(target=list, args=(holding,))
        reading.start()
        example = started(
            repository, place, name, *(each.replace("SERVER", narrow.address) for each in arguments)
        )
        while narrow.log().count('"stream_refused"') == refused:
            assert example.poll() is None, example.stderr.read()
            time.sleep(0.05)
        frames_end.set()
        reading.join()
    assert said in said_by(example).splitlines()


def test_photos_are_found_although_the_server_has_no_room_for_all_at_once(
    repository, place, narrow, tmp_path
):
    for number in range(12):
        shutil.copy(place / "eileen.jpg", tmp_path / f"{number}.jpg")
    said = run(repository, tmp_path, "find_in_photos.py", "eileen", ".", narrow.address)
    assert len(said.splitlines()) == 12
    assert "TooManyCalls" in narrow.log()


def test_a_gallery_is_read_while_the_server_has_no_room(repository, place):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", retry_after_s=0.01)
    with FakeServer() as server:
        with facewire.Client(server.address) as client:
            client.enroll("eileen", place / "eileen.jpg")
        for method in ("ListIdentities", "ListTemplates"):
            server.fail_next(method, full, times=7)  # more than the client tries by itself
        assert (
            run(repository, place, "tidy_gallery.py", server.address) == "eileen\teileen\t1 of 3\n"
        )


def test_every_example_is_told_and_tested(repository):
    folder = repository / "clients/python/examples"
    told = (folder / "README.md").read_text(encoding="utf-8")
    tests = (repository / "tests/integration/test_examples.py").read_text(encoding="utf-8")
    for path in folder.glob("*.py"):
        assert f"`{path.name}`" in told
        assert f'"{path.name}"' in tests
