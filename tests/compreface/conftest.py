"""What the tests of this folder share: a real server, a real console before it with the door open, and people made of one portrait."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

import facewire
from facewire_console.compreface.keys import add_key
from harness.compreface_calls import Caller, address_of
from harness.console_running import RunningConsole, running_console
from harness.made_people import made_pair, portrait_of
from harness.running import RunningServer, running_server


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[RunningServer]:
    """One server for all tests; each uses a gallery of its own."""
    with running_server(frame_timeout_s=60) as running:  # of a busy machine
        yield running


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the door's keys."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    add_key(path, "default")
    return path


@pytest.fixture(scope="session")
def console(server: RunningServer, keys: Path) -> Iterator[RunningConsole]:
    """A console whose door is open, as an operator would start it."""
    with running_console(server=server.address, compreface_keys=keys) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(server.address) as connected:
        yield connected


@pytest.fixture
def gallery(client: facewire.Client) -> str:
    """An empty gallery of the test's own."""
    return client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id


@pytest.fixture
def key(keys: Path, gallery: str) -> str:
    """A key for the test's gallery."""
    return add_key(keys, gallery)


@pytest.fixture
def door(console: RunningConsole, key: str) -> Caller:
    """Calls the door with the test's key."""
    return Caller(address_of(console), key)


@dataclass(frozen=True)
class People:
    """JPEGs: two pictures of one person, one of another, one of both, and one of nobody."""

    ada: bytes
    ada_again: bytes
    bo: bytes
    both: bytes
    nobody: bytes


def _jpeg(pixels: cv2.typing.MatLike) -> bytes:
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def _pixels(jpeg: bytes) -> cv2.typing.MatLike:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels


@pytest.fixture(scope="session")
def people() -> People:
    first, second = (portrait_of(person) for person in made_pair())
    ada, bo = map(_pixels, (first, second))
    height = max(ada.shape[0], bo.shape[0])
    padded = [
        cv2.copyMakeBorder(
            each, 0, height - each.shape[0], 0, 0, cv2.BORDER_CONSTANT, value=(128, 128, 128)
        )
        for each in (ada, bo)
    ]
    return People(
        ada=first,
        ada_again=_jpeg(cv2.flip(ada, 1)),
        bo=second,
        both=_jpeg(np.hstack(padded)),
        nobody=_jpeg(np.full((240, 320, 3), 128, np.uint8)),
    )
