"""Browsers that are logged in: a new login replaces the one before, and a logout ends what goes on."""

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from harness.console_running import RunningConsole, running_console

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A console with a login, whose server is away."""
    token = tmp_path_factory.mktemp("login") / "token"
    token.write_text(TOKEN)
    with running_console("127.0.0.1:1", login_token_file=token) as running:
        yield running


def logged_in(console: RunningConsole, headers: dict[str, str] | None = None) -> dict[str, str]:
    """The cookie of a browser that has logged in."""
    answer = console.send("POST", "/api/login", content={"token": TOKEN}, headers=headers)
    assert answer.status == 204
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def status(console: RunningConsole, session: dict[str, str]) -> int:
    return console.send("GET", "/api/status", headers=session).status


def test_a_new_login_replaces_the_one_before(guarded) -> None:
    first, other = logged_in(guarded), logged_in(guarded)
    second = logged_in(guarded, first)
    assert first != second
    assert [status(guarded, each) for each in (first, second, other)] == [401, 200, 200]


def test_a_logout_ends_the_events(guarded) -> None:
    session, other = logged_in(guarded), logged_in(guarded)
    connections = [
        http.client.HTTPConnection(guarded.host, guarded.port, timeout=60) for _ in range(2)
    ]
    streams = []
    for connection, headers in zip(connections, (session, other), strict=True):
        connection.request("GET", "/api/events/stream", headers=headers)
        streams.append(connection.getresponse())
        assert streams[-1].readline() == b": open\n"
    assert guarded.send("POST", "/api/logout", headers=session).status == 204
    with closing(connections[0]):
        assert streams[0].read().strip(b": \n") == b"", "it ends as a response does"
    assert guarded.send("GET", "/api/events/stream", headers=session).status == 401
    with closing(connections[1]):
        streams[1].readline()  # of the other browser they go on
        assert streams[1].readline() == b": \n"
    assert guarded.log() == ""


def test_a_logout_ends_a_websocket(guarded) -> None:
    session = logged_in(guarded)
    address = f"ws://{guarded.host}:{guarded.port}/ws/live"
    with connect(address, additional_headers=session, proxy=None) as socket:
        assert guarded.send("POST", "/api/logout", headers=session).status == 204
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "LOGIN_REQUIRED")
    assert guarded.log() == ""
