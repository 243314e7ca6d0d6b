"""A real server process for the tests of this folder: real models, a real port, an empty gallery."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import facewire
from bench.running import RunningServer, running_server


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[RunningServer]:
    """One server for all tests; each uses a gallery of its own."""
    with running_server() as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(server.address) as connected:
        yield connected


@pytest.fixture
def gallery(client: facewire.Client) -> str:
    """An empty gallery of the test's own."""
    return client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id
