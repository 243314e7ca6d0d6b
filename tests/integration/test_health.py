"""Health is open to all, and its watchers do not use up the calls of others."""

import contextlib

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.rpc import health
from fakes.wire import served


async def test_watchers_do_not_take_the_calls_of_others() -> None:
    async with served(token="secret") as wire:
        stub = health_pb2_grpc.HealthStub(wire.channel)
        watchers = [
            stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(health._MAX_WATCHERS)
        ]
        for watcher in watchers:
            await watcher.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Watch(health_pb2.HealthCheckRequest()).read()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await stub.Check(health_pb2.HealthCheckRequest())
        watchers.pop().cancel()
        response = grpc.aio.EOF
        while response is grpc.aio.EOF:  # until the server has noticed the cancellation
            with contextlib.suppress(grpc.aio.AioRpcError):
                response = await stub.Watch(health_pb2.HealthCheckRequest()).read()
        assert response.status == health_pb2.HealthCheckResponse.NOT_SERVING
