"""What the tests of this folder share: a real server process with an empty gallery, and the command before it."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from fakes.blocking import CLIENTS
from fakes.certificates import self_signed
from fakes.network_camera import network_camera_on
from fakes.server import TRACKED, FakeServer
from harness.running import RunningServer, running_server
from integration.command import command, environment


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[RunningServer | SimpleNamespace]:
    """One server for all tests; each uses a gallery of its own.

    Where the server does not run, it is one that runs already (`make sdk-compat`).
    """
    if address := os.environ.get("FACEWIRE_TEST_SERVER"):
        yield SimpleNamespace(address=address)
        return
    with running_server(frame_timeout_s=60) as running:  # of a busy machine
        yield running


@pytest.fixture(params=CLIENTS)
def connect(request):
    """Makes a client: the blocking one, then asyncio's."""
    return CLIENTS[request.param]


@pytest.fixture(params=["real", "fake"])
def address(request):
    """Of a server: the real one, then the fake."""
    if request.param == "real":
        yield request.getfixturevalue("server").address
        return
    with FakeServer(features=TRACKED) as fake:
        yield fake.address


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(server.address) as connected:
        yield connected


@pytest.fixture
def gallery(client: facewire.Client) -> str:
    """An empty gallery of the test's own."""
    return client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id


@pytest.fixture(scope="session")
def portrait(astronaut):
    """(256, 256, 3) uint8 RGB: one face."""
    return np.ascontiguousarray(astronaut[:256, 96:352])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine and its key."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def secured(
    models: Path, certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server that wants TLS and a token."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text("s3cret-0123456789\n")
    token.chmod(0o600)
    with running_server(
        tls_certificate=certificate[0], tls_key=certificate[1], token_file=token
    ) as server:
        yield server


@pytest.fixture(scope="session")
def both(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with SFace and, beside it, the ancestor's FaceNet."""
    from facewire_serving.models import (
        main as build_models,  # where only the SDK is tested it is not there
    )

    folder = tmp_path_factory.mktemp("both")
    for name in ("mtcnn", "embedding"):
        (folder / name).symlink_to((models / name).resolve())
    assert build_models(["--out", str(folder), "--only", "facenet_vggface2"]) == 0
    return folder


@pytest.fixture
def server_address(server):
    return server.address


def run_command(server: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(arguments), env=environment(server), capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def run(server_address):
    def run(*arguments, server=server_address):
        return run_command(server, *arguments)

    return run


def write_people(root: Path, astronaut: NDArray[np.uint8]) -> Path:
    """Two people: Eileen_Collins with a picture, another and a bad one; Bo without a face."""
    (root / "Eileen_Collins" / "deeper").mkdir(parents=True)
    (root / ".hidden").mkdir()
    portrait = astronaut[:256, 96:352, ::-1]
    cv2.imwrite(str(root / "Eileen_Collins" / "a.jpg"), portrait)
    cv2.imwrite(str(root / "Eileen_Collins" / "deeper" / "b.PNG"), portrait[:, 8:])
    cv2.imwrite(str(root / ".hidden" / "c.jpg"), portrait)
    (root / "Eileen_Collins" / "bad.jpg").write_text("this is text")
    cv2.imwrite(str(root / "Bo_01.jpg"), np.full((240, 320, 3), 128, np.uint8))
    (root / "notes.txt").write_text("not a picture")
    return root


@pytest.fixture
def folder(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    """The test's own folder of people."""
    return write_people(tmp_path / "people", astronaut)


@pytest.fixture(scope="session")
def people_gallery(
    server: RunningServer, tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]
) -> str:
    """A gallery into which the command enrolled the people of such a folder; only read it."""
    people = write_people(tmp_path_factory.mktemp("enrolled") / "people", astronaut)
    with facewire.Client(server.address) as client:
        gallery = client.create_gallery(f"enrolled-{uuid.uuid4().hex}").gallery_id
    done = run_command(server.address, "enroll", people, "-g", gallery, "--json")
    assert "Eileen_Collins" in done.stdout, done.stderr
    return gallery


@pytest.fixture
def film(tmp_path, astronaut):
    """Two seconds: one with the portrait, one of even gray."""
    path = tmp_path / "film.avi"
    portrait = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (256, 256))
    for picture in [portrait] * 10 + [np.full_like(portrait, 128)] * 10:
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def network_camera():
    with network_camera_on(frames_a_connection=10**9) as server:
        yield server
