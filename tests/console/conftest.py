"""What the tests of this folder share: a real server, a real console before it, and pictures."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import facewire
from harness.console_running import RunningConsole, running_console
from harness.running import RunningServer, running_server


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[RunningServer]:
    with running_server(
        frame_timeout_s=60, keep_crops=True, keep_unknown_hours=1
    ) as running:  # of a busy machine
        yield running


@pytest.fixture(scope="session")
def console(server: RunningServer) -> Iterator[RunningConsole]:
    """Of all tests that change none of its settings; each uses a gallery of its own."""
    with running_console(server.address) as running:
        yield running


@pytest.fixture
def gallery(server: RunningServer) -> str:
    """An empty gallery of the test's own."""
    with facewire.Client(server.address) as client:
        return client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id


def jpeg(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", rgb[:, :, ::-1])[1].tobytes()


@pytest.fixture(scope="session")
def portrait(astronaut) -> bytes:
    """A JPEG of 256 x 256: one face."""
    return jpeg(astronaut[:256, 96:352])


@pytest.fixture(scope="session")
def pair(astronaut) -> bytes:
    """A JPEG of 512 x 256: two faces, side by side."""
    face = astronaut[:256, 96:352]
    return jpeg(np.hstack([face, face]))


@pytest.fixture(scope="session")
def gray() -> bytes:
    """A JPEG of 320 x 240 without a face."""
    return jpeg(np.full((240, 320, 3), 128, np.uint8))
