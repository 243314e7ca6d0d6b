"""A server whose detector is dlib: the same calls, a bounded memory, and an event loop that goes on."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

import facewire
from harness.running import RunningServer, running_server

pytest.importorskip("dlib", reason="needs dlib-bin, the extra `dlib` of the server")


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[RunningServer]:
    with running_server(detector="dlib", frame_timeout_s=60) as running:
        yield running


def jpeg(pixels: cv2.typing.MatLike) -> bytes:
    return cv2.imencode(".jpg", pixels[:, :, ::-1])[1].tobytes()


def test_a_person_is_enrolled_and_recognized(client: facewire.Client, gallery: str, astronaut):
    client.enroll("eileen", jpeg(astronaut), gallery=gallery)
    small = cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    (face,) = client.recognize(jpeg(small), gallery=gallery).faces
    assert face.decision.identity_id == "eileen"
    points = face.landmarks
    assert points.left_eye.x_px < points.nose.x_px < points.right_eye.x_px
    assert points.left_eye.y_px < points.nose.y_px < points.left_mouth.y_px


def test_no_person_is_found_where_there_is_none(client: facewire.Client, gallery: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    assert client.recognize(jpeg(noise), gallery=gallery).faces == ()


def test_frames_of_a_stream_are_searched_and_followed(
    client: facewire.Client, gallery: str, astronaut
) -> None:
    client.enroll("eileen", jpeg(astronaut), gallery=gallery)
    frames = [jpeg(astronaut)] * 4
    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames, gallery=gallery, policy=policy) as results:
        found = [each for each in results if isinstance(each, facewire.FrameResult)]
    assert [len(result.faces) for result in found] == [1] * 4


def test_the_largest_picture_takes_a_bounded_memory(
    server: RunningServer, client: facewire.Client, gallery: str, astronaut
) -> None:
    # 48 megapixels, searched as finely as a request may ask: in tiles, each as large as a canvas may be.
    large = jpeg(cv2.resize(astronaut, (6900, 6900), interpolation=cv2.INTER_LINEAR))
    before = psutil.Process(server.pid).memory_info().rss
    detection = facewire.DetectionOptions(min_face_px=8)
    client.recognize(large, gallery=gallery, detection=detection, timeout_s=100)
    status = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    assert (int(line.split()[1]) << 10) - before < 1 << 30


def test_calls_are_answered_while_dlib_searches(
    server: RunningServer, client: facewire.Client, gallery: str, astronaut
) -> None:
    large = jpeg(cv2.resize(astronaut, (1448, 1448), interpolation=cv2.INTER_LINEAR))
    with ThreadPoolExecutor(1) as thread, facewire.Client(server.address) as other:
        detection = facewire.DetectionOptions(min_face_px=20)
        searching = thread.submit(other.recognize, large, gallery=gallery, detection=detection)
        answered_at_s = [time.perf_counter()]
        while not searching.done():
            client.gallery(gallery)
            answered_at_s.append(time.perf_counter())
        search_s = searching.result().timings.detect_us / 1e6
    longest_s = max(later - earlier for earlier, later in pairwise(answered_at_s))
    assert (
        longest_s < search_s / 2
    )  # if dlib held the interpreter's lock, none would come during the search
