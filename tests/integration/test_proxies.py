"""Clients behind the real Envoy and the real nginx, with the configurations that are shipped."""

import asyncio
import contextlib
import ipaddress
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import recognition_pb2_grpc
from fakes.wire import LIMITS, Wire, config, frame, served
from harness.proxied import TOKEN, Proxied, proxied
from harness.proxies import CONFIGURATIONS, Kind, is_installed, running_proxy
from harness.resuming import Caller, ResumingCamera
from integration.command import command, environment
from integration.grpcurl import grpcurl

KINDS: tuple[Kind, ...] = ("envoy", "nginx")
RECOGNITION = "facewire.v1.RecognitionService"
MANY = replace(LIMITS, max_streams=128)
MB = 1 << 20
EXPLAINED: dict[Kind, tuple[str, ...]] = {
    "envoy": (
        *("timeout: 0s", "stream_idle_timeout", "connection_keepalive", "use_remote_address"),
        *("no_traffic_interval", "unhealthy_threshold", "healthy_panic_threshold", "retry_on"),
        *("max_retries", "max_concurrent_streams: 40", "outlier_detection", "lb_policy"),
        *(
            "auto_mapping",
            "convert_grpc_status",
            "allow_origin_string_match",
        ),
    ),
    "nginx": (
        *("client_max_body_size", "client_body_timeout", "keepalive_requests", "so_keepalive"),
        *("grpc_read_timeout", "grpc_send_timeout", "grpc_buffer_size", "grpc_next_upstream"),
        *("worker_shutdown_timeout", "max_fails", "least_conn", "grpc_set_header"),
    ),
}
"""What the page must explain, by the text in the configuration."""


def needs(kind: Kind) -> None:
    if not is_installed(kind):
        pytest.skip(f"needs the package of {kind}, which requirements/dev.txt pins")


@pytest.fixture(scope="module")
def portrait(astronaut: NDArray[np.uint8]) -> bytes:
    picture = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    return cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.fixture(scope="module", params=KINDS)
def both(
    request: pytest.FixtureRequest,
    models: Path,
    certificate: tuple[Path, Path],
    portrait: bytes,
) -> Iterator[Proxied]:
    """Two servers behind each proxy, with "ada" enrolled through it."""
    needs(request.param)
    with proxied(request.param, certificate) as running:
        with running.client() as client:
            client.enroll("ada", [portrait])
        yield running


@pytest.mark.timeout(600)
def test_eight_streams_go_on_through_a_kill_a_drain_and_two_restarts(
    both: Proxied, portrait: bytes
) -> None:
    """On one gallery, and beside them calls; none ends, and each is answered by the other server at once."""
    place = both.proxy.address, both.certificate, TOKEN, portrait
    with contextlib.ExitStack() as stack:
        cameras = [stack.enter_context(ResumingCamera(*place, apart_s=1.0)) for _ in range(8)]
        caller = stack.enter_context(Caller(*place, apart_s=0.5))
        clients = [*cameras, caller]
        for client in clients:
            client.until_answers(2)
        ends: list[tuple[Any, int]] = [(lambda: both.kill(0), 0), (lambda: both.drain(1), 1)]
        for end, index in ends:
            streams = {camera: camera.errors.total() for camera in cameras}
            end()
            for client in clients:
                client.until_answers(3)
            assert any(camera.errors.total() > before for camera, before in streams.items()), (
                "no stream was on this server, so nothing was shown"
            )
            both.start(index)
            for client in clients:
                client.until_answers(2)
    for client in clients:
        assert client.failure is None
        assert not client.wrong
    del caller.errors["DeadlineError TIMED_OUT"]  # a picture of its server's, on a busy machine
    assert not caller.errors, "the proxy and the SDK repeat calls"


def test_health_and_reflection_pass_the_proxy_without_being_translated(both: Proxied) -> None:
    with both.client() as client:
        assert client.health().ready
    trust = ("-cacert", str(both.certificate), "-H", f"Authorization: Bearer {TOKEN}")
    listed = grpcurl(*trust, both.proxy.address, "list")
    assert "facewire.v1.GalleryService" in listed.stdout, listed.stderr


def test_a_stream_of_more_than_a_megabyte_goes_on(both: Proxied, astronaut: Any) -> None:
    """nginx ends a request whose body is larger, unless it is said not to."""
    raw = facewire.Image.from_array(np.ascontiguousarray(astronaut[:256, 96:352]))
    with both.client() as client:
        frames = [raw] * 12
        assert sum(len(one.data) for one in frames) > 2 * MB
        results = list(client.stream(frames, policy=facewire.FramePolicy.EVERY_FRAME))
    assert [one.sequence for one in results if isinstance(one, facewire.FrameResult)] == [
        *range(1, 13)
    ]


async def test_without_its_line_nginx_ends_a_stream_after_a_megabyte(
    certificate: tuple[Path, Path],
) -> None:
    """So the line is needed."""
    needs("nginx")
    unlimited = {"client_max_body_size 0;": ""}
    async with served() as wire:
        async with channel_through("nginx", wire, certificate, unlimited) as channel:
            call = recognition_pb2_grpc.RecognitionServiceStub(channel).StreamRecognize()
            await call.write(config())
            await call.read()
            answered = 0
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                for sequence in range(1, 64):
                    await call.write(frame(sequence, bytes(1 << 15)))
                    assert (await call.read()).frame.sequence == sequence
                    answered = sequence
        assert 24 <= answered <= 32


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hundred_cameras_behind_one_proxy_are_served(
    kind: Kind, certificate: tuple[Path, Path]
) -> None:
    """Two connections may have 96: Envoy opens another, nginx has one for each call."""
    needs(kind)
    async with (
        served(limits=MANY, max_calls=200) as wire,
        channel_through(kind, wire, certificate) as channel,
    ):
        assert await opened(channel, 100) == 100


async def test_an_envoy_that_does_not_know_the_limit_is_served_if_it_is_trusted(
    certificate: tuple[Path, Path],
) -> None:
    needs("envoy")
    unlimited = {"max_concurrent_streams: 40": "max_concurrent_streams: 100"}
    accepted = []
    for trusted in ((), ("127.0.0.1",)):
        async with (
            served(limits=MANY, max_calls=200, trusted_proxies=trusted) as wire,
            channel_through("envoy", wire, certificate, unlimited) as channel,
        ):
            accepted.append(await opened(channel, 100))
    assert accepted[0] <= 2 * MANY.max_calls_per_connection
    assert accepted[1] == 100


def test_the_servers_log_has_the_clients_address(both: Proxied) -> None:
    """Without a port. Of a client on its own machine Envoy writes that machine's address.

    The two calls may reach different servers, so the entries are in no order."""
    with both.client() as client:
        client.create_gallery("audited")
        client.delete_gallery("audited")
    entries = [
        json.loads(line)
        for server in both.servers
        for line in server.log().splitlines()
        if '"audited"' in line
    ]
    assert {one["action"] for one in entries} == {"create_gallery", "delete_gallery"}
    assert len(entries) == 2
    (peer,) = {one["peer"] for one in entries}
    assert ipaddress.ip_address(peer)
    assert both.proxy.kind == "envoy" or peer == "127.0.0.1"


@pytest.mark.timeout(600)
def test_the_command_watches_on_through_a_kill_of_each_server(
    both: Proxied, network_camera: Any, tmp_path: Path
) -> None:
    variables = environment(both.proxy.address) | {
        "FACEWIRE_TOKEN": TOKEN,
        "FACEWIRE_TLS_CA": str(both.certificate),
    }
    errors = tmp_path / "errors"
    with errors.open("w") as stderr:
        watching = subprocess.Popen(
            command(["watch", network_camera.address, "--json"]),
            env=variables,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def has_answer() -> bool:
        line = watching.stdout.readline() if watching.stdout else ""
        assert line, f"it ended: {errors.read_text()}"
        return "sequence" in json.loads(line)["result"]

    with watching:
        try:
            assert any(has_answer() for _ in range(1000))
            for index in range(2):
                both.kill(index)
                while not both.is_streaming(1 - index):
                    has_answer()
                both.start(index)
            assert any(has_answer() for _ in range(1000))
        finally:
            watching.kill()
    assert "Opening a new stream" in errors.read_text()
    assert "Traceback" not in errors.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_each_configuration_is_explained_on_the_page(repository: Path, kind: Kind) -> None:
    """Every setting that is not plain has its line there."""
    page = (repository / "docs/proxies.md").read_text(encoding="utf-8")
    assert f"deploy/proxies/{CONFIGURATIONS[kind].name}" in page
    unexplained = [each for each in EXPLAINED[kind] if f"`{each}" not in page]
    assert not unexplained
    text = CONFIGURATIONS[kind].read_text(encoding="utf-8")
    assert all(each in text for each in EXPLAINED[kind])


async def opened(channel: grpc.aio.Channel, count: int) -> int:
    """How many of so many streams are started."""
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    calls = [stub.StreamRecognize() for _ in range(count)]
    started = 0
    for call in calls:
        try:
            await call.write(config())
            started += (await call.read()).WhichOneof("message") == "started"
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            if await call.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
    return started


@asynccontextmanager
async def channel_through(
    kind: Kind,
    wire: Wire,
    certificate: tuple[Path, Path],
    changes: dict[str, str] | None = None,
) -> AsyncIterator[grpc.aio.Channel]:
    """A connection through a proxy to a server in this process."""
    wire.server.health.set(RECOGNITION, True)
    proxy = running_proxy(kind, [f"127.0.0.1:{wire.port}"] * 2, certificate, changes)
    trust = grpc.ssl_channel_credentials(certificate[0].read_bytes())
    own = (("grpc.use_local_subchannel_pool", 1),)
    # In threads: the server must answer meanwhile.
    running = await asyncio.to_thread(proxy.__enter__)
    try:
        async with grpc.aio.secure_channel(running.address, trust, options=own) as channel:
            yield channel
    finally:
        await asyncio.to_thread(proxy.__exit__, None, None, None)
