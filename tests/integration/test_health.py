"""Health is open to all, and its watchers do not use up the calls of others."""

import contextlib

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.rpc import health
from fakes.wire import EOF, reason_and_fields, served

SERVING = health_pb2.HealthCheckResponse.SERVING
OWN = (("grpc.use_local_subchannel_pool", 1),)
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_connection_has_few_watchers_and_others_have_theirs() -> None:
    async with served(token="secret") as wire:
        stub = health_pb2_grpc.HealthStub(wire.channel)
        watchers = [
            stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(health._MAX_WATCHERS_OF_ONE)
        ]
        for watcher in watchers:
            await watcher.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Watch(health_pb2.HealthCheckRequest()).read()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await stub.Check(health_pb2.HealthCheckRequest())
        async with grpc.aio.insecure_channel(f"127.0.0.1:{wire.port}", options=OWN) as other:
            watch = health_pb2_grpc.HealthStub(other).Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == NOT_SERVING
        watchers.pop().cancel()
        response = EOF
        while response is EOF:  # until the server has noticed the cancellation
            replacement = stub.Watch(health_pb2.HealthCheckRequest())
            with contextlib.suppress(grpc.aio.AioRpcError):
                response = await replacement.read()
        assert response.status == NOT_SERVING


async def test_the_oldest_watcher_of_the_most_crowded_connection_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a token a client could hold all places otherwise, and no orchestrator could watch."""
    monkeypatch.setattr(health, "_MAX_WATCHERS", 3)
    async with (
        served(token="secret") as wire,
        grpc.aio.insecure_channel(f"127.0.0.1:{wire.port}", options=OWN) as other,
    ):
        honest, crowd = health_pb2_grpc.HealthStub(other), health_pb2_grpc.HealthStub(wire.channel)
        first = honest.Watch(health_pb2.HealthCheckRequest())
        assert (await first.read()).status == NOT_SERVING
        crowded = []
        for _ in range(2):
            crowded.append(crowd.Watch(health_pb2.HealthCheckRequest()))
            assert (await crowded[-1].read()).status == NOT_SERVING
        second = honest.Watch(health_pb2.HealthCheckRequest())
        assert (await second.read()).status == NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await crowded[0].read()
        assert reason_and_fields(caught.value) == ("TOO_MANY_CALLS", [])
        wire.server.health.set("", True)
        assert (await first.read()).status == (await second.read()).status == SERVING


@pytest.mark.parametrize(("max_connections", "most"), [(1, 1), (20, 5), (1000, 64)])
async def test_watchers_leave_most_connections_to_others(max_connections: int, most: int) -> None:
    """A connection with a watcher is not closed for being silent."""
    assert health.HealthServicer(max_connections)._watchers._most == most


async def test_a_watcher_sees_each_change_once_and_only_of_its_service() -> None:
    name = "facewire.v1.GalleryService"
    async with served() as wire:
        watch = health_pb2_grpc.HealthStub(wire.channel).Watch(
            health_pb2.HealthCheckRequest(service=name)
        )
        assert (await watch.read()).status == NOT_SERVING
        wire.server.health.set(name, True)
        assert (await watch.read()).status == SERVING
        wire.server.health.set("", True)  # another service
        wire.server.health.set(name, True)  # no change
        wire.server.health.set(name, False)
        assert (await watch.read()).status == NOT_SERVING
        await wire.server.drain(3600.0)
        assert await watch.read() is EOF, "NOT_SERVING was sent already"


async def test_a_service_that_is_not_there_is_unknown_to_a_watcher_and_may_not_be_set() -> None:
    async with served() as wire:
        watch = health_pb2_grpc.HealthStub(wire.channel).Watch(
            health_pb2.HealthCheckRequest(service="nothing")
        )
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        with pytest.raises(KeyError):
            wire.server.health.set("nothing", True)


async def test_after_a_shutdown_no_service_is_serving_again() -> None:
    servicer = health.HealthServicer(1000)
    servicer.set("", True)
    servicer.shut_down()
    servicer.set("", True)  # as a check that was under way may
    assert (await servicer.Check(health_pb2.HealthCheckRequest(), None)).status == NOT_SERVING
