"""TLS to model servers: their certificate is checked against the given ones."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest

from facewire_server.backends.tfserving import TfServingModel
from facewire_server.errors import ModelUnavailable
from facewire_server.proof.signature import Signature
from fakes.certificates import self_signed

NOTHING = Signature({}, {})


class Empty(grpc.GenericRpcHandler):
    """Answers any request with an empty message."""

    def service(self, details: Any) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)


class Secured(NamedTuple):
    ports: tuple[int, int]
    certificate: bytes


@pytest.fixture
async def secured(tmp_path: Path) -> AsyncIterator[Secured]:
    """A server on two ports, known as `localhost` and 127.0.0.1."""
    certificate, key = self_signed(tmp_path, "DNS:localhost,IP:127.0.0.1")
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Empty(),))
    one, other = (server.add_secure_port("0.0.0.0:0", credentials) for _ in range(2))
    await server.start()
    yield Secured((one, other), certificate.read_bytes())
    await server.stop(None)


async def ask(address: str, tls_ca: bytes = b"") -> list[Any]:
    """Calls every replica once; returns the answers."""
    model = TfServingModel("m", address, NOTHING, tls_ca=tls_ca)
    try:
        return [await one.answer({}, None) for one in await model.replicas()]
    finally:
        await model.close()


async def test_a_server_with_the_right_certificate_is_asked(secured: Secured) -> None:
    """Each by the name or address that its certificate must have."""
    one, other = secured.ports
    address = f"localhost:{one},127.0.0.1:{other}"
    assert len(await ask(address, tls_ca=secured.certificate)) == 2


async def test_a_certificate_of_another_name_is_refused(secured: Secured) -> None:
    with pytest.raises(ModelUnavailable):
        await ask(f"127.0.0.2:{secured.ports[0]}", tls_ca=secured.certificate)


async def test_without_tls_it_is_not_asked(secured: Secured) -> None:
    with pytest.raises(ModelUnavailable):
        await ask(f"localhost:{secured.ports[0]}")
