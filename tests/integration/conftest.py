"""A real server process for the tests of this folder: real models, a real port, an empty gallery."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import facewire
from bench.running import RunningServer, running_server


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[RunningServer | SimpleNamespace]:
    """One server for all tests; each uses a gallery of its own.

    Where the server does not run, it is one that runs already (`make sdk-compat`).
    """
    if address := os.environ.get("FACEWIRE_TEST_SERVER"):
        yield SimpleNamespace(address=address)
        return
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
