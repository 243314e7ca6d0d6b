"""The name of a servable has the addresses of its replicas, which come, go and move."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from facewire_server.backends.tfserving import TfServingModel, served, wire
from facewire_server.backends.tfserving.addresses import Host, look_up
from facewire_server.errors import ModelUnavailable
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.signature import Signature

NOTHING = Signature({}, {})


class Saying(grpc.GenericRpcHandler):
    """A replica whose version is the last number of its IP address."""

    def __init__(self, host: str) -> None:
        self._version = int(host.rpartition(".")[2])

    def service(self, details: Any) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            if details.method == wire.GET_MODEL_STATUS:
                status = wire.GetModelStatusResponse()
                status.model_version_status.add(version=self._version, state=30)
                return bytes(status.SerializeToString())
            if details.method == wire.GET_MODEL_METADATA:
                signatures = wire.SignatureDefMap()
                signatures.signature_def["serving_default"].method_name = "predict"
                metadata = wire.GetModelMetadataResponse()
                metadata.metadata["signature_def"].Pack(signatures)
                return bytes(metadata.SerializeToString())
            response = wire.PredictResponse()
            response.model_spec.version.value = self._version
            return bytes(response.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def replica(host: str, port: int = 0) -> AsyncIterator[int]:
    """Serves at an address of this machine until the block ends; yields the port."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Saying(host),))
    port = server.add_insecure_port(f"{host}:{port}")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


class Names:
    """The addresses of the name `emb`, which a test may change at any time; none = it is not known."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ()

    async def look_up(self, host: Host) -> tuple[str, ...]:
        assert host.name == "emb"
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.addresses


@pytest.fixture
def names() -> Names:
    return Names()


async def prove(model: Any) -> None:
    await model.predict({})


@asynccontextmanager
async def called(names: Names, port: int) -> AsyncIterator[ProvenModel]:
    model = TfServingModel("embedding", f"emb:{port}", NOTHING, look_up=names.look_up)
    yield ProvenModel(model, prove)
    await model.close()


async def until(line: ProvenModel, *versions: int) -> None:
    """Calls, and checks as a server does, until these replicas take part and no others."""
    while line.versions != versions:
        try:
            await line.check()
            await line.predict({})
        except ModelUnavailable:
            await asyncio.sleep(0.05)


async def test_all_addresses_of_a_name_are_called(names: Names) -> None:
    async with (
        replica("127.0.0.2") as port,
        replica("127.0.0.3", port),
        called(names, port) as line,
    ):
        names.addresses = ("127.0.0.2", "127.0.0.3")
        await until(line, 2, 3)
        assert line.replica_count == 2


async def test_a_container_that_comes_back_at_another_address_is_found(names: Names) -> None:
    async with replica("127.0.0.2") as port:
        made = called(names, port)
        line = await made.__aenter__()
        names.addresses = ("127.0.0.2",)
        await until(line, 2)
    names.addresses = ()
    await until(line)  # the last address is kept, where no server is
    assert line.replica_count == 1
    async with replica("127.0.0.3", port):
        names.addresses = ("127.0.0.3",)
        await until(line, 3)
        await made.__aexit__(None, None, None)


async def test_while_a_replica_moves_or_is_added_no_call_fails(names: Names) -> None:
    async with replica("127.0.0.3") as port, called(names, port) as line:
        async with replica("127.0.0.2", port):
            names.addresses = ("127.0.0.2", "127.0.0.3")
            await until(line, 2, 3)
        async with replica("127.0.0.4", port), replica("127.0.0.5", port):
            for addresses, versions in (
                (("127.0.0.3", "127.0.0.4"), (3, 4)),
                (("127.0.0.3", "127.0.0.4", "127.0.0.5"), (3, 4, 5)),
                (("127.0.0.5",), (5,)),
            ):
                names.addresses = addresses
                while line.versions != versions:
                    await line.predict({})
                    await line.check()


async def test_a_name_without_an_address_is_reported_until_it_has_one(names: Names) -> None:
    async with replica("127.0.0.2") as port, called(names, port) as line:
        with pytest.raises(ModelUnavailable, match="its name has no address"):
            await line.predict({})
        with pytest.raises(ModelUnavailable, match="its name has no address"):
            await line.check()
        names.addresses = ("127.0.0.2",)
        await until(line, 2)


async def test_a_name_server_that_hangs_holds_up_no_call(names: Names, monkeypatch) -> None:
    monkeypatch.setattr(served, "_LOOK_UP_WAIT_S", 0.01)
    asked = 0

    async def look_up_once(host: Host) -> tuple[str, ...]:
        nonlocal asked
        asked += 1
        if asked > 1:
            await asyncio.Event().wait()
        return ("127.0.0.2",)

    async with replica("127.0.0.2") as port:
        model = TfServingModel("embedding", f"emb:{port}", NOTHING, look_up=look_up_once)
        line = ProvenModel(model, prove)
        for _ in range(5):
            await line.check()
            await line.predict({})
        await model.close()
    assert asked == 2, "one question is waited for, not asked again"


async def test_the_system_looks_names_up_and_ipv4_comes_first() -> None:
    assert await look_up(Host("localhost", 8500, is_name=True)) == ("127.0.0.1",)
    with pytest.raises(OSError, match=r"\[Errno"):
        await look_up(Host("no-such-host.invalid", 8500, is_name=True))


async def test_look_ups_that_hang_hold_no_thread_that_others_or_the_end_of_the_process_wait_for(
    monkeypatch,
) -> None:
    answered, daemons = threading.Event(), []

    def hang(*_: Any, **__: Any) -> list[Any]:
        daemons.append(threading.current_thread().daemon)
        answered.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    hosts = [Host(f"emb-{number}", 8500, is_name=True) for number in range(40)]
    looking = [asyncio.create_task(look_up(host)) for host in hosts]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(30):
            await asyncio.to_thread(lambda: None)
            while len(daemons) < 40:
                await asyncio.sleep(0)
        assert all(daemons)
    finally:
        answered.set()
        await asyncio.wait(looking)


async def test_a_name_that_is_too_long_has_no_address() -> None:
    model = TfServingModel("embedding", f"{'x' * 64}:1", NOTHING)
    assert await model.replicas() == []
