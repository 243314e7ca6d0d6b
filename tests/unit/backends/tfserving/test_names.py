"""gRPC resolves the name of a servable: replicas come, go and move behind a real name server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from facewire_server.backends.tfserving import wire
from facewire_server.backends.tfserving.addresses import Target
from facewire_server.backends.tfserving.calls import Calls
from facewire_server.errors import ModelUnavailable
from fakes.name_server import NameServer, name_server


class Saying(grpc.GenericRpcHandler):
    """A replica whose version is the last number of its IP address."""

    def __init__(self, host: str) -> None:
        self._version = int(host.rpartition(".")[2])

    def service(self, details: Any) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            response = wire.PredictResponse()
            response.model_spec.version.value = self._version
            return response.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def replica(host: str, port: int = 0, **options: int) -> AsyncIterator[int]:
    """Serves at an address of this machine until the block ends; yields the port."""
    arguments = [(f"grpc.{name}", value) for name, value in {"so_reuseport": 0, **options}.items()]
    server = grpc.aio.server(options=arguments)
    server.add_generic_rpc_handlers((Saying(host),))
    port = server.add_insecure_port(f"{host}:{port}")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server() as server:
        yield server


@asynccontextmanager
async def calls_to(names: NameServer, port: int) -> AsyncIterator[Calls]:
    made = Calls("embedding", Target(f"dns://{names.authority}/emb:{port}", 0), b"")
    try:
        yield made
    finally:
        await made.close()


async def asked(calls: Calls) -> int:
    """Returns which replica answered."""
    response = await calls.ask(wire.PREDICT, wire.PredictRequest(), wire.PredictResponse, None)
    return int(response.model_spec.version.value)


async def until(calls: Calls, *wanted: int) -> None:
    """Calls, and checks as a server does, until each of some replicas has answered."""
    missing = set(wanted)
    while missing:
        try:
            missing.discard(await asked(calls))
        except ModelUnavailable:
            calls.reopen_if_unreachable()
            await asyncio.sleep(0.05)


async def test_all_addresses_of_a_name_are_called(names: NameServer) -> None:
    async with replica("127.0.0.2") as port, replica("127.0.0.3", port):
        names.addresses["emb"] = ["127.0.0.2", "127.0.0.3"]
        async with calls_to(names, port) as calls:
            await until(calls, 2, 3)


async def test_a_container_that_comes_back_at_another_address_is_found(names: NameServer) -> None:
    """Its name has no address in between, which gRPC would ask about more and more seldom."""
    async with replica("127.0.0.2") as port:
        names.addresses["emb"] = ["127.0.0.2"]
        calls = Calls("embedding", Target(f"dns://{names.authority}/emb:{port}", 0), b"")
        await until(calls, 2)
    del names.addresses["emb"]
    while names.asked < 5:
        with pytest.raises(ModelUnavailable, match="UNAVAILABLE"):
            await asked(calls)
        calls.reopen_if_unreachable()
    async with replica("127.0.0.3", port):
        names.addresses["emb"] = ["127.0.0.3"]
        await until(calls, 3)
        await calls.close()


async def test_when_one_of_several_moves_the_others_go_on_and_it_is_found(
    names: NameServer,
) -> None:
    async with replica("127.0.0.3") as port:
        async with replica("127.0.0.2", port):
            names.addresses["emb"] = ["127.0.0.2", "127.0.0.3"]
            calls = Calls("embedding", Target(f"dns://{names.authority}/emb:{port}", 0), b"")
            await until(calls, 2, 3)
        async with replica("127.0.0.4", port):
            names.addresses["emb"] = ["127.0.0.3", "127.0.0.4"]
            while (answered := await asked(calls)) != 4:  # no call fails meanwhile
                assert answered == 3
                await asyncio.sleep(0.01)
            await calls.close()


async def test_a_replica_that_is_added_is_found_if_the_others_end_connections_by_age(
    names: NameServer,
) -> None:
    """gRPC resolves a name when a connection ends; TensorFlow Serving takes the option as a flag."""
    async with replica("127.0.0.2", max_connection_age_ms=1000) as port:
        names.addresses["emb"] = ["127.0.0.2"]
        async with calls_to(names, port) as calls, replica("127.0.0.3", port):
            await until(calls, 2)
            names.addresses["emb"] = ["127.0.0.2", "127.0.0.3"]
            while await asked(calls) != 3:  # no call fails meanwhile
                await asyncio.sleep(0.01)


async def test_a_name_without_an_address_is_reported_until_it_has_one(names: NameServer) -> None:
    async with replica("127.0.0.2") as port, calls_to(names, port) as calls:
        with pytest.raises(ModelUnavailable, match="its name has no address"):
            await asked(calls)
        names.addresses["emb"] = ["127.0.0.2"]
        await until(calls, 2)
