"""A real server process for the tests of this folder: real models, a real port, an empty gallery."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import facewire
from bench.running import RunningServer, running_server


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[RunningServer | SimpleNamespace]:
    """One server for all tests; each uses a gallery of its own.

    Where the server does not run, it is one that runs already (`make sdk-compat`).
    """
    if address := os.environ.get("FACEWIRE_TEST_SERVER"):
        yield SimpleNamespace(address=address)
        return
    with running_server() as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(server.address) as connected:
        yield connected


@pytest.fixture
def gallery(client: facewire.Client) -> str:
    """An empty gallery of the test's own."""
    return client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    files = folder / "certificate.pem", folder / "key.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    where = ["-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(["openssl", *request.split(), *name, *where], check=True, capture_output=True)
    return files


@pytest.fixture(scope="session")
def secured(
    models: Path, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server that wants TLS and a token."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    with running_server(
        tls_certificate=certificate[0], tls_key=certificate[1], token_file=token
    ) as server:
        yield server
