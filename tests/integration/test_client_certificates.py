"""A client's certificate names its role; a server that asks for one takes no connection without it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from facewire_server.access.roles import Role
from fakes.certificates import self_signed
from harness import certificates
from harness.roles import Outcome, bearer, called, with_token
from harness.running import RunningServer, running_server
from integration.command import environment

INFO = "/facewire.v1.RecognitionService/GetServerInfo"
GALLERY = "/facewire.v1.GalleryService/GetGallery"
EXPORT = "/facewire.v1.GalleryService/ExportGallery"
HEALTH = "/grpc.health.v1.Health/Check"

Calling = Callable[..., Outcome]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's certificate, the authority of clients, and another authority, each in a folder of its own."""
    root = tmp_path_factory.mktemp("certificates")
    for name in ("server", "clients", "strangers"):
        (root / name).mkdir()
        self_signed(root / name)
    return root


def pair(folder: Path) -> tuple[Path, Path]:
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def server(models: Path, folder: Path) -> Iterator[RunningServer]:
    certificate, key = pair(folder / "server")
    token_file = folder / "tokens"
    (folder / "token").write_text(with_token(token_file, "backup", Role.EXPORTER))
    with running_server(
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=folder / "clients" / "certificate.pem",
        token_file=token_file,
    ) as running:
        yield running


@pytest.fixture
def calling(server: RunningServer, folder: Path) -> Calling:
    """Makes a call with a certificate and its key, or none."""
    root = pair(folder / "server")[0].read_bytes()

    def call(path: str, own: tuple[Path, Path] | None, **options: object) -> Outcome:
        chain, key = (each.read_bytes() for each in own) if own else (None, None)
        trust = grpc.ssl_channel_credentials(root, key, chain)
        pool = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.secure_channel(server.address, trust, pool) as channel:
            return called(channel, path, **options)  # type: ignore[arg-type]

    return call


def test_the_command_health_shows_the_servers_own_certificate_which_has_no_role(
    server: RunningServer, calling: Calling, folder: Path
) -> None:
    certificate, key = pair(folder / "server")
    authority = folder / "clients" / "certificate.pem"
    flags = ["--listen", server.address, "--tls-certificate", certificate, "--tls-key", key]
    command = [sys.executable, "-m", "facewire_server", "health", *map(str, flags)]
    done = subprocess.run(
        [*command, "--tls-client-ca", str(authority)],
        env=environment(server.address),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "process SERVING" in done.stdout
    assert "tls_failed" not in server.log()  # no other test has failed one yet
    assert calling(INFO, (certificate, key)).reason == "TOKEN_REQUIRED"


def test_the_role_and_the_galleries_of_a_certificate_count(calling: Calling, folder: Path) -> None:
    uri = "URI:facewire://role/operator?gallery=default"
    own = certificates.signed(folder, "console", pair(folder / "clients"), f"DNS:x,{uri}")
    assert calling(INFO, own).code is grpc.StatusCode.OK
    assert calling(GALLERY, own, gallery_id="default").code is grpc.StatusCode.OK
    assert calling(GALLERY, own, gallery_id="staff").reason == "ROLE_REQUIRED"
    assert calling(EXPORT, own).roles == "exporter"


def test_a_certificate_without_a_role_needs_a_token_for_all_but_health(
    calling: Calling, folder: Path
) -> None:
    own = certificates.signed(folder, "plain", pair(folder / "clients"))
    assert calling(HEALTH, own).code is grpc.StatusCode.OK
    assert calling(INFO, own).reason == "TOKEN_REQUIRED"
    token = (folder / "token").read_text()
    sent = bearer(token)
    assert calling(EXPORT, own, metadata=sent, gallery_id="default").code is grpc.StatusCode.OK


@pytest.mark.parametrize("who", ["nobody", "stranger", "stranger with a role"])
def test_without_a_certificate_of_the_authority_there_is_no_connection(
    calling: Calling, folder: Path, who: str
) -> None:
    uri = "URI:facewire://role/operator" if who == "stranger with a role" else ""
    strangers = pair(folder / "strangers")
    own = None if who == "nobody" else certificates.signed(folder, "stranger", strangers, uri)
    for path in (HEALTH, INFO):
        assert calling(path, own).code is grpc.StatusCode.UNAVAILABLE
