"""A fake server, and both clients before it; no thread that a test or the client started outlives the test."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes.blocking import CLIENTS
from fakes.server import SERVING, FakeServer

LEFT_FOR_S = 30
"""Longest that a thread may take to end: a camera's goes on after its closing until the timeout of its read."""


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Waits for the end of what would keep a process from ending, and of the client's own threads."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        of_the_client = thread.name.startswith("facewire-")
        if (of_the_client or not thread.daemon) and not thread.name.startswith(SERVING):
            thread.join(LEFT_FOR_S)
            assert not thread.is_alive(), f"{thread.name} goes on after the test"


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture(params=CLIENTS)
def connect(request):
    """Makes a client: the blocking one, then asyncio's."""
    return CLIENTS[request.param]


@pytest.fixture
def threads():
    """A thread that waits for the client; joined after the client was closed, so that a test that fails ends, too."""
    with ThreadPoolExecutor(1) as waiting:
        yield waiting


@pytest.fixture
def client(fake, connect, threads):
    with connect(fake.address) as client:
        yield client
