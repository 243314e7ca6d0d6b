"""TLS to model servers: their certificate is checked against the given ones."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import pytest

from facewire_server.backends.tfserving import TfServingModel
from facewire_server.errors import ModelUnavailable
from facewire_server.proof import signature

FACES = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}


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
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", *request.split(), *name, *files], check=True, capture_output=True)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Empty(),))
    one, other = (server.add_secure_port("127.0.0.1:0", credentials) for _ in range(2))
    await server.start()
    yield Secured((one, other), certificate.read_bytes())
    await server.stop(None)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_server_with_the_right_certificate_is_asked(secured: Secured, host: str) -> None:
    address = f"{host}:{secured.ports[0]}"
    model = TfServingModel("m", address, signature.MTCNN, tls_ca=secured.certificate)
    assert (await model.answer(FACES)).outputs == {}
    await model.close()


async def test_several_addresses_are_refused_since_a_certificate_has_one_name(
    secured: Secured,
) -> None:
    address = ",".join(f"127.0.0.1:{port}" for port in secured.ports)
    with pytest.raises(ValueError, match="one DNS name"):
        TfServingModel("m", address, signature.MTCNN, tls_ca=secured.certificate)


async def test_without_tls_it_is_not_asked(secured: Secured) -> None:
    model = TfServingModel("m", f"localhost:{secured.ports[0]}", signature.MTCNN)
    with pytest.raises(ModelUnavailable):
        await model.answer(FACES)
    await model.close()
