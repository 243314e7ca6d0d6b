"""Header values that no library of gRPC sends, in raw HTTP/2: refused as a wrong token is, and the server goes on."""

import asyncio

import pytest

from facewire_server.events import Event, Listening, TokenRefused
from fakes.raw_grpc import raw_status
from fakes.wire import served

INFO = "/facewire.v1.RecognitionService/GetServerInfo"
TOKEN = b"s3cret-0123456789"
RIGHT = (b"authorization", b"Bearer " + TOKEN)
OK, UNAUTHENTICATED = 0, 16


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer \xff\xfe",
        "Bearer sécret-0123456789".encode(),
        "Bearer s\N{CYRILLIC SMALL LETTER IE}cret".encode(),
        b"Bearer " + TOKEN + b"\0",
        b"Bearer " + TOKEN + b"\xff",
        b"Bearer\xa0" + TOKEN,
        b"\xff" * 4000,
        b"",
    ],
)
async def test_a_token_of_any_bytes_is_a_wrong_token(value: bytes) -> None:
    events: list[Event] = []
    async with served(token=TOKEN.decode(), emit=events.append) as wire:
        address = ("127.0.0.1", wire.port)
        for headers, status in (
            ([(b"authorization", value)], UNAUTHENTICATED),
            ([RIGHT, (b"authorization", value)], UNAUTHENTICATED),
            ([RIGHT], OK),
        ):
            assert await asyncio.to_thread(raw_status, address, INFO, headers) == status
        kinds = [type(event) for event in events]
    assert kinds == [Listening, TokenRefused, TokenRefused]


@pytest.mark.parametrize("name", [b"x-name", b"x-forwarded-for", b"user-agent", b"traceparent"])
async def test_other_headers_of_any_bytes_are_no_hindrance(name: bytes) -> None:
    async with served(token=TOKEN.decode()) as wire:
        address = ("127.0.0.1", wire.port)
        for headers, status in (
            ([(name, b"\xff")], UNAUTHENTICATED),
            ([RIGHT, (name, b"\xff")], OK),
        ):
            assert await asyncio.to_thread(raw_status, address, INFO, headers) == status
