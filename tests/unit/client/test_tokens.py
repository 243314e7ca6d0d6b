"""A client takes its token from a text, a file or a function, and reads it again once after it was refused."""

import asyncio
import threading

import pytest

import facewire
from facewire._wire.tokens import SentToken
from fakes.server import TRACKED, FakeServer


class Source:
    """Returns these tokens in order, the last one for ever."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.count = 0

    def __call__(self):
        self.count += 1
        return self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]


class AwaitedSource(Source):
    """The same, in the event loop."""

    async def awaited(self):
        asyncio.get_running_loop()
        return self()


@pytest.fixture
def secured():
    with FakeServer(token="right") as server:
        yield server


def test_a_function_is_called_once_for_many_calls(secured):
    source = Source("right")
    with facewire.Client(secured.address, token=source) as client:
        assert source.count == 0
        for _ in range(3):
            client.gallery()
    assert source.count == 1


def test_a_token_that_is_refused_is_read_again_once(secured):
    source = Source("old", " right\n")
    with facewire.Client(secured.address, token=source) as client:
        client.gallery()
        client.create_gallery("staff")
    assert source.count == 2


def test_a_call_that_writes_is_repeated_too_since_nothing_of_it_was_looked_at(secured):
    with facewire.Client(secured.address, token=Source("old", "right")) as client:
        client.create_gallery("staff")
    assert secured.calls["CreateGallery"] == 2


def test_a_file_that_is_changed_after_its_token_was_refused_twice_is_read(secured, tmp_path):
    path = tmp_path / "token"
    path.write_text("wrong")
    with facewire.Client(secured.address, token=facewire.TokenFile(path)) as client:
        for _ in range(3):
            with pytest.raises(facewire.AuthenticationError):
                client.server_info()
        path.write_text("right")
        client.server_info()


@pytest.mark.parametrize("tokens", [("old", "older", "oldest", "right"), ("old",)])
def test_it_is_not_read_again_and_again(secured, tokens):
    source = Source(*tokens)
    with (
        facewire.Client(secured.address, token=source) as client,
        pytest.raises(facewire.AuthenticationError),
    ):
        client.gallery()
    assert source.count == 2
    assert secured.calls["GetGallery"] == 2


def test_a_text_is_not_sent_again(secured):
    with (
        facewire.Client(secured.address, token="wrong") as client,
        pytest.raises(facewire.AuthenticationError),
    ):
        client.gallery()
    assert secured.calls["GetGallery"] == 1


def test_a_file_is_read_again_when_its_token_is_refused(secured, tmp_path):
    path = tmp_path / "token"
    path.write_text("right\n")
    with facewire.Client(secured.address, token=facewire.TokenFile(path)) as client:
        client.gallery()
        secured.token = "new"
        path.write_text("new\n")
        client.gallery()
        path.unlink()
        client.gallery()
        secured.token = "newer"
        with pytest.raises(FileNotFoundError):
            client.gallery()


@pytest.mark.parametrize("token", ["", " \n", "\N{SNOWMAN}", "s3\ncret"])
def test_a_source_that_returns_what_no_header_may_hold_is_refused_and_not_shown(secured, token):
    with (
        facewire.Client(secured.address, token=lambda: token) as client,
        pytest.raises(ValueError, match="token") as caught,
    ):
        client.gallery()
    assert "s3" not in str(caught.value)


def test_a_token_that_must_be_awaited_is_for_the_client_of_asyncio(secured):
    with (
        facewire.Client(secured.address, token=AwaitedSource("right").awaited) as client,
        pytest.raises(TypeError, match="AsyncClient"),
    ):
        client.gallery()


async def test_the_client_of_asyncio_awaits_a_token_and_reads_it_again_once(secured):
    source = AwaitedSource("old", "right")
    async with facewire.AsyncClient(secured.address, token=source.awaited) as client:
        await client.gallery()
        await client.create_gallery("staff")
    assert source.count == 2


async def test_the_client_of_asyncio_calls_a_function_that_blocks_in_a_thread(secured):
    threads = []

    def source():
        threads.append(threading.current_thread())
        return "right"

    async with facewire.AsyncClient(secured.address, token=source) as client:
        await client.gallery()
    assert threads
    assert threading.main_thread() not in threads


def test_a_stream_opens_with_the_token_that_is_read_again():
    with FakeServer(token="right") as server:
        source = Source("old", "right")
        frame = facewire.Image(b"picture", facewire.ImageFormat.JPEG)
        with facewire.Client(server.address, token=source) as client:
            results = list(client.stream([frame]))
    assert len(results) == 1
    assert source.count == 2


async def test_a_stream_of_asyncio_opens_with_the_token_that_is_read_again():
    with FakeServer(token="right") as server:
        source = AwaitedSource("old", "right")
        frame = facewire.Image(b"picture", facewire.ImageFormat.JPEG)
        async with facewire.AsyncClient(server.address, token=source.awaited) as client:
            results = [result async for result in client.stream([frame])]
    assert len(results) == 1
    assert source.count == 2


def test_a_feed_opens_with_the_token_that_is_read_again():
    with (
        FakeServer(token="right", features=TRACKED) as server,
        facewire.Client(server.address, token=Source("old", "right")) as client,
        client.watch_tracks() as feed,
    ):
        feed.open()


def test_no_one_sees_a_token_in_a_repr():
    assert "s3cret" not in repr(SentToken("s3cret"))
