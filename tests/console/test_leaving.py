"""If a browser leaves before its response, the console cancels its call of the server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from starlette.types import Message, Receive, Scope, Send

from console.conftest import jpeg
from console.test_bad_clients import head
from facewire_console.app import _STATIC, _goes_on
from facewire_console.guard.leaving import Leaving
from harness.console_running import RunningConsole, running_console
from harness.model_servers import free_port
from harness.running import running_server
from integration.scraping import scrape, total

ENDED = "grpc_server_handled_total"


class Both(NamedTuple):
    """A console, and the port of its server's page of metrics."""

    console: RunningConsole
    metrics: int

    def ended(self, method: str, code: str) -> float:
        """Calls of a method that ended with a status."""
        labels = {"grpc_method": method, "grpc_code": code}
        return total(scrape(self.metrics)[1], ENDED, **labels)


@pytest.fixture(scope="module")
def both(models: Path) -> Iterator[Both]:
    metrics = free_port()
    with (
        running_server(metrics_listen=f"127.0.0.1:{metrics}", frame_timeout_s=60) as server,
        running_console(server.address) as console,
    ):
        yield Both(console, metrics)


@pytest.fixture(scope="module")
def crowd(astronaut) -> bytes:
    """A picture that takes far longer than a connection to close: a hundred faces."""
    return jpeg(np.tile(astronaut[:256, 96:352], (10, 10, 1)))


def leave(console: RunningConsole, request: bytes) -> None:
    with console.connect() as connection:
        connection.sendall(request)


def test_a_call_is_cancelled_at_the_server_when_its_browser_leaves(
    both: Both, crowd: bytes
) -> None:
    request = head("POST /api/recognize", f"Content-Length: {len(crowd)}") + crowd
    while not both.ended("Recognize", "CANCELLED"):
        leave(both.console, request)
    assert both.console.send("GET", "/api/status").status == 200
    assert both.console.log() == "", "a browser that leaves is no fault"


def test_who_waits_for_the_response_gets_it(both: Both, crowd: bytes) -> None:
    with both.console.browser() as browser:
        for _ in range(2):  # one connection
            assert browser.send("POST", "/api/recognize", crowd).status == 200
            assert browser.send("GET", "/api/identities").status == 200


def test_every_file_of_the_page_comes_whole_over_one_connection(both: Both) -> None:
    files = [path for path in _STATIC.rglob("*") if path.is_file()]
    with both.console.browser() as browser:
        for path in files:
            answer = browser.send("GET", f"/{path.relative_to(_STATIC)}")
            assert (answer.status, answer.body) == (200, path.read_bytes())
    assert both.console.log() == ""


Step = Callable[[Receive, Send], Awaitable[None]]


def served(step: Step, *arrivals: Message, length: int = 0) -> list[str]:
    """Serves a request whose messages come one after the other; returns how the work ended."""
    notes: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await step(receive, send)
            notes.append("done")
        except asyncio.CancelledError:
            notes.append("cancelled")
            raise

    async def serve() -> None:
        coming = iter(arrivals)

        async def receive() -> Message:
            for message in coming:
                return message
            return await asyncio.Future()

        async def send(_: Message) -> None: ...

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/x",
            "headers": [(b"content-length", str(length).encode())],
        }
        await Leaving(app, lambda method, path: False)(scope, receive, send)

    asyncio.run(asyncio.wait_for(serve(), 30))
    return notes


BODY: Message = {"type": "http.request", "body": b"x", "more_body": False}
NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}
LEFT: Message = {"type": "http.disconnect"}


async def waits(receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


async def reads_and_waits(receive: Receive, send: Send) -> None:
    assert (await receive())["body"] == b"x"
    await asyncio.Event().wait()


async def reads_to_the_end(receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "http.request"
    assert (await receive())["type"] == "http.disconnect"


async def responds(receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    for _ in range(5):
        await asyncio.sleep(0)  # in which what came could be seen
    while (await receive())["type"] != "http.disconnect":  # as of uvicorn, after a response
        pass


@pytest.mark.parametrize(
    ("step", "arrivals", "length", "ended"),
    [
        (waits, (NO_BODY, LEFT), 0, "cancelled"),
        (reads_and_waits, (BODY, LEFT), 1, "cancelled"),
        (responds, (NO_BODY,), 0, "done"),
        (responds, (BODY, LEFT), 1, "done"),
    ],
)
def test_work_ends_with_its_clients_stay_and_not_with_its_response(
    step: Step, arrivals: tuple[Message, ...], length: int, ended: str
) -> None:
    assert served(step, *arrivals, length=length) == [ended]


async def test_who_waits_for_the_leaving_is_not_woken_before_the_last_piece_is_sent() -> None:
    sent: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        leaving = asyncio.ensure_future(receive())
        await send({"type": "http.response.body", "body": b"last"})
        assert not leaving.done()
        assert (await leaving)["type"] == "http.disconnect"

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        for _ in range(5):
            await asyncio.sleep(0)  # a client that reads slowly
        sent.append(message["body"])

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Leaving(app, lambda method, path: False)(scope, receive, send)
    assert sent == [b"last"]


def test_what_reads_on_hears_of_the_leaving() -> None:
    assert served(reads_to_the_end, NO_BODY, LEFT) in (["done"], ["cancelled"])


@pytest.mark.parametrize(
    ("method", "path", "goes_on"),
    [
        ("POST", "/sanushost/api/v1.0/sanitizer_img", True),
        ("POST", "/v1/frames/door", True),
        ("DELETE", "/api/v1/recognition/faces/x", True),
        ("PUT", "/api/v1/recognition/subjects/x", True),
        ("POST", "/v1/vision/face/register", True),
        ("GET", "/api/v1/recognition/faces", False),
        ("POST", "/api/v1/recognition/faces/x/verify", False),
        ("POST", "/api/v1/recognition/recognize", False),
        ("POST", "/api/recognize", False),
        ("DELETE", "/api/identities/x", False),
    ],
)
def test_what_may_not_end_halfway_goes_on(method: str, path: str, goes_on: bool) -> None:
    assert _goes_on(method, path) is goes_on
