"""A fake server, and both clients before it."""

import pytest

from fakes.blocking import CLIENTS
from fakes.server import FakeServer


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture(params=CLIENTS)
def connect(request):
    """Makes a client: the blocking one, then asyncio's."""
    return CLIENTS[request.param]


@pytest.fixture
def client(fake, connect):
    with connect(fake.address) as client:
        yield client
