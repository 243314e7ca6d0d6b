"""A client's certificate names its role; a server that asks for one takes no connection without it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

import facewire
from facewire_server.access.roles import Role
from fakes.blocking import CLIENTS
from fakes.certificates import self_signed
from harness import certificates
from harness.roles import Outcome, bearer, called, with_token
from harness.running import RunningServer, running_server
from integration.command import command, environment

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


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_client_shows_its_certificate_in_calls_and_streams_and_has_its_role(
    server: RunningServer, folder: Path, kind: str
) -> None:
    uri = "URI:facewire://role/camera?gallery=default"
    certificate, key = certificates.signed(folder, f"{kind}-door", pair(folder / "clients"), uri)
    both = folder / f"{kind}-both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    trusted = pair(folder / "server")[0]
    for own in (
        {"client_certificate": certificate, "client_key": str(key)},
        {"client_certificate": str(both)},
    ):
        with CLIENTS[kind](server.address, root_certificates=trusted, **own) as client:
            client.server_info()
            assert list(client.stream([])) == []
            with pytest.raises(facewire.AuthenticationError, match="the caller's is camera"):
                client.galleries().__next__()


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_whose_certificate_is_not_taken_says_so(
    server: RunningServer, folder: Path, kind: str
) -> None:
    own = certificates.signed(folder, f"{kind}-stranger", pair(folder / "strangers"))
    shown = {"client_certificate": own[0], "client_key": own[1]}
    trusted = pair(folder / "server")[0]
    for options, words in (
        ({}, "the server wants a certificate of the client. Give client_certificate="),
        (shown, r"certificate of the client \(it does not take the one that is shown\)"),
    ):
        with CLIENTS[kind](server.address, root_certificates=trusted, **options) as client:
            with pytest.raises(facewire.UnreachableError, match=words) as caught:
                client.server_info()
            assert caught.value.fault is facewire.ConnectionFault.CLIENT_CERTIFICATE
            with pytest.raises(facewire.UnreachableError, match=words):
                list(client.stream([]))


def test_the_command_shows_a_certificate_of_its_options_or_the_environment(
    server: RunningServer, folder: Path
) -> None:
    uri = "URI:facewire://role/operator"
    certificate, key = certificates.signed(folder, "desk", pair(folder / "clients"), uri)
    listing = ["gallery", "list", "--json"]

    def run(*options: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(["--tls-ca", pair(folder / "server")[0], *options, *listing]),
            env=environment(server.address) | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )

    done = run("--client-cert", certificate, "--client-key", key)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"default"' in done.stdout
    done = run(FACEWIRE_CLIENT_CERT=str(certificate), FACEWIRE_CLIENT_KEY=str(key))
    assert done.returncode == 0, done.stderr
    assert run("--client-key", key, "--client-cert", pair(folder / "strangers")[0]).returncode == 2
    done = run("--client-key", key)
    assert done.returncode == 2
    assert "Look into --client-cert and --client-key" in done.stderr
    done = run()
    assert done.returncode == 3
    assert "--client-cert and --client-key (FACEWIRE_CLIENT_CERT" in done.stderr
