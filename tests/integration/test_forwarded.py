"""A trusted proxy's clients are told apart; nobody else can name another client."""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import gallery_pb2
from facewire_server.events import (
    CallRefused,
    Event,
    GalleryChanged,
    StreamEnded,
    StreamOpened,
    TokenRefused,
)
from facewire_server.work.slots import WorkSlots
from fakes.recognizer import FakeRecognizer
from fakes.wire import LIMITS, Wire, config, frame, reason_and_fields, served

PATIENCE_S = 30
CLIENT = (("x-forwarded-for", "203.0.113.5"),)
FEW = replace(LIMITS, max_calls_per_connection=2)


async def opened(wire: Wire, metadata: Any = CLIENT) -> Any:
    stream = wire.recognition.StreamRecognize(metadata=metadata)
    await stream.write(config())
    assert (await stream.read()).WhichOneof("message") == "started"
    return stream


async def test_a_trusted_proxy_brings_more_calls_than_a_connection_may_have() -> None:
    async with served(limits=FEW, trusted_proxies=["127.0.0.1"]) as wire:
        streams = [await opened(wire) for _ in range(4)]
        for stream in streams:
            await stream.write(frame(1))
            assert (await stream.read()).frame.sequence == 1
        assert wire.server._busy(), "its connection would be closed for being silent"
        assert all(peer.startswith("ipv4:127.0.0.1:") for peer in wire.server._busy())


async def test_a_trusted_gateway_with_one_connection_may_have_all_calls() -> None:
    """gRPC's client waits for a stream of HTTP/2 that it may not open, without a limit and without an error."""
    async with served(limits=FEW, max_calls=64, trusted_proxies=["127.0.0.1"]) as wire:
        async with asyncio.timeout(PATIENCE_S):
            assert len([await opened(wire) for _ in range(60)]) == 60


async def test_another_client_may_not_claim_to_be_a_proxy() -> None:
    events: list[Event] = []
    async with served(limits=FEW, trusted_proxies=["192.0.2.7"], emit=events.append) as wire:
        for _ in range(2):
            await opened(wire)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await opened(wire)
        assert reason_and_fields(caught.value)[0] == "TOO_MANY_CALLS"
    peers = {each.peer for each in events if isinstance(each, StreamOpened | CallRefused)}
    assert peers
    assert all(peer.startswith("ipv4:127.0.0.1:") for peer in peers)


async def test_the_log_names_the_client_behind_the_proxy() -> None:
    events: list[Event] = []
    right = ("authorization", "Bearer secret"), *CLIENT
    async with served(token="secret", trusted_proxies=["127.0.0.1"], emit=events.append) as wire:
        with pytest.raises(grpc.aio.AioRpcError):
            await wire.galleries.ListGalleries(gallery_pb2.ListGalleriesRequest(), metadata=CLIENT)
        await wire.galleries.CreateGallery(
            gallery_pb2.CreateGalleryRequest(gallery_id="staff"), metadata=right
        )
        await (await opened(wire, right)).done_writing()
    named = [
        each
        for each in events
        if isinstance(each, TokenRefused | GalleryChanged | StreamOpened | StreamEnded)
    ]
    assert len({type(each) for each in named}) == 4
    assert {each.peer for each in named} == {"ipv4:203.0.113.5"}


async def test_what_one_client_behind_a_proxy_has_had_is_not_charged_to_another() -> None:
    """Streams that ended leave a debt to the next stream of the same client only."""
    seen: list[str] = []

    class Noted(WorkSlots):
        def stream(self, client: str) -> Any:
            seen.append(client)
            return super().stream(client)

    async with served(FakeRecognizer(), slots=Noted(2), trusted_proxies=["127.0.0.1"]) as wire:
        for last in (5, 6):
            await opened(wire, (("x-forwarded-for", f"203.0.113.{last}"),))
        await opened(wire, ())
    assert seen == ["ipv4:203.0.113.5", "ipv4:203.0.113.6", "ipv4:127.0.0.1"]


async def test_a_watcher_of_health_belongs_to_the_proxys_connection() -> None:
    """Else the connection would be closed for being silent."""
    async with served(trusted_proxies=["127.0.0.1"]) as wire:
        stub = health_pb2_grpc.HealthStub(wire.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(), metadata=CLIENT)
        await watch.read()
        (peer,) = wire.server.health.connections()
        assert peer.startswith("ipv4:127.0.0.1:")
        watch.cancel()
