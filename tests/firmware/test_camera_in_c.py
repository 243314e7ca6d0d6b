"""The example in C against a real server: nanopb's messages, carried by curl's HTTP/2."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import recognition_pb2
from firmware.nanopb import PROFILES, ROOM, built, compiled, generated, missing
from harness.running import RunningServer, running_server

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(not shutil.which("curl"), reason="needs curl (requirements/debian.list)"),
]
METHOD = "/facewire.v1.RecognitionService/StreamRecognize"


@pytest.fixture(scope="module")
def server(models: Path) -> Iterator[RunningServer]:
    with running_server(frame_timeout_s=60) as running:
        yield running


@pytest.fixture(params=PROFILES)
def camera(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    sources = [
        *generated(PROFILES[request.param], tmp_path),
        ROOM / "facewire_messages.c",
        ROOM / "camera.c",
    ]
    return built([compiled(source, tmp_path) for source in sources], tmp_path / "camera")


def streamed(camera: Path, address: str, *arguments: object) -> str:
    """Runs the camera with curl between it and the server; returns what it printed."""
    carrier = subprocess.Popen(
        ["curl", "--no-progress-meter", "--no-buffer", "--http2-prior-knowledge", "-X", "POST", "-T", ".",
         "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "expect:",
         f"http://{address}{METHOD}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        firmware = subprocess.Popen(
            [str(part) for part in (camera, *arguments)],
            stdin=carrier.stdout,
            stdout=carrier.stdin,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert carrier.stdin
        carrier.stdin.close()  # the camera's is the only one, so that its end is the end of the stream
        try:
            _, printed = firmware.communicate(timeout=60)
        finally:
            firmware.kill()
        assert firmware.returncode == 0, printed
        assert carrier.wait(timeout=60) == 0
        return printed
    finally:
        carrier.kill()
        carrier.wait()
        assert carrier.stdout
        carrier.stdout.close()


def test_a_camera_in_c_is_answered_by_a_real_server(
    server: RunningServer, camera: Path, tmp_path: Path, astronaut: NDArray[np.uint8]
) -> None:
    pictures = [tmp_path / f"{number}.jpg" for number in range(6)]
    for picture in pictures:
        cv2.imwrite(str(picture), np.ascontiguousarray(astronaut[..., ::-1]))
    with facewire.Client(server.address) as client:
        client.enroll("eileen", pictures[0], display_name="Eileen")
    printed = streamed(camera, server.address, "door", *pictures).splitlines()
    frames = [line for line in printed if line.startswith("frame ")]
    assert frames == [f"frame {number}" for number in range(1, 7)]
    assert "here is Eileen" in printed
    named = [line for line in printed if line.startswith("  Eileen at ")]
    assert len(named) >= 4
    for line in named:
        x, y = map(float, line.removeprefix("  Eileen at ").split(","))
        assert 150 < x < 210, "where the face is"
        assert 30 < y < 90


def test_a_server_that_counts_wrongly_ends_the_stream_and_nothing_else(
    camera: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "1.jpg"
    picture.write_bytes(b"\xff\xd8")
    started = recognition_pb2.StreamRecognizeResponse()
    started.started.max_in_flight = 2**32 - 1
    skipped = recognition_pb2.StreamRecognizeResponse()
    skipped.skipped.frame_count = 2**32 - 1
    came = b"".join(
        b"\0" + len(data).to_bytes(4, "big") + data
        for data in (each.SerializeToString() for each in (started, skipped))
    )
    done = subprocess.run([camera, "door", picture, picture], input=came, capture_output=True)
    assert done.returncode == 0, done.stderr
