"""A call without a valid token reaches no handler but that of health."""

from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from facewire_server.errors import TokenRequired
from facewire_server.rpc.auth import TokenInterceptor

METHOD = "/facewire.v1.RecognitionService/Recognize"


class Context:
    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"


@dataclass
class Call(grpc.HandlerCallDetails):
    method: str
    invocation_metadata: tuple[tuple[str, str | bytes], ...]


async def reached(tokens: TokenInterceptor, *values: str, method: str = METHOD) -> bool:
    """Whether a call with these `authorization` values reaches its handler."""
    handler = object()

    async def continuation(call: Any) -> Any:
        return handler

    metadata = (("user-agent", "test"), *(("authorization", value) for value in values))
    found = await tokens.intercept_service(continuation, Call(method, metadata))
    if found is handler:
        return True
    with pytest.raises(TokenRequired):
        await found.stream_stream(None, Context())
    return False


@pytest.mark.parametrize("value", ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret "])
async def test_the_token_opens(value: str) -> None:
    assert await reached(TokenInterceptor("s3cret"), value)


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        ("Bearer s3cre",),
        ("Bearer s3crets",),
        ("Bearer s3cret s3cret",),
        ("Basic s3cret",),
        ("s3cret",),
        ("s3cret Bearer",),
        ("Bearer wrong", "Bearer s3cret"),  # the first one counts, as for a proxy before the server
    ],
)
async def test_nothing_else_opens(values: tuple[str, ...]) -> None:
    assert not await reached(TokenInterceptor("s3cret"), *values)


async def test_each_of_several_tokens_opens_until_they_are_replaced() -> None:
    tokens = TokenInterceptor("old\n\n new \n")
    assert await reached(tokens, "Bearer old")
    assert await reached(tokens, "Bearer new")
    tokens.replace("newest")
    assert not await reached(tokens, "Bearer old")
    assert await reached(tokens, "Bearer newest")


async def test_an_empty_line_is_no_token() -> None:
    assert not await reached(TokenInterceptor("\n \n"), "Bearer ")


@pytest.mark.parametrize(
    ("method", "is_open"),
    [
        ("/grpc.health.v1.Health/Check", True),
        ("/grpc.health.v1.Health/Watch", True),
        ("/grpc.health.v1.HealthX/Check", False),
        ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", False),
        ("/facewire.v1.GalleryService/ExportGallery", False),
    ],
)
async def test_only_health_is_open_to_all(method: str, is_open: bool) -> None:
    assert await reached(TokenInterceptor("s3cret"), method=method) is is_open
