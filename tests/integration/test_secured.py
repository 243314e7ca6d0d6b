"""The client and the command before a server that wants TLS and a token."""

import os
import subprocess
import sys

import pytest

import facewire
from fakes.blocking import CLIENTS
from fakes.python import PATHS


@pytest.fixture(params=CLIENTS)
def connect(request):
    """Makes a client: the blocking one, then asyncio's."""
    return CLIENTS[request.param]


@pytest.mark.parametrize("given", ["path", "bytes"])
def test_a_client_with_certificate_and_token_is_served(secured, certificate, connect, given):
    roots = certificate[0].read_bytes() if given == "bytes" else certificate[0]
    with connect(secured.address, token="s3cret-0123456789\n", root_certificates=roots) as client:
        assert client.gallery().gallery_id == "default"
        assert list(client.stream([])) == []
        assert client.health().ready


def test_a_client_without_the_token_is_refused(secured, certificate, connect):
    with connect(secured.address, root_certificates=certificate[0]) as client:
        with pytest.raises(facewire.AuthenticationError):
            client.gallery()
        with pytest.raises(facewire.AuthenticationError):
            list(client.stream([]))


@pytest.mark.parametrize(
    ("trust", "text"), [({}, "uses TLS"), ({"tls": True}, "certificate is not trusted")]
)
def test_a_client_that_does_not_trust_the_server_reaches_none(secured, connect, trust, text):
    with connect(secured.address, token="s3cret-0123456789", **trust) as client:
        with pytest.raises(facewire.UnreachableError, match=text):
            client.gallery()
        with pytest.raises(facewire.UnreachableError, match=text):
            list(client.stream([]))


def test_the_command_takes_a_certificate_and_a_token(secured, certificate, tmp_path):
    def status(*options, **environment):
        return subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-m",
                "facewire",
                *options,
                "gallery",
                "list",
                "--json",
            ],
            env=os.environ
            | {"PYTHONPATH": PATHS, "FACEWIRE_SERVER": secured.address}
            | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    trusted = ("--tls-ca", str(certificate[0]))
    done = status(*trusted, FACEWIRE_TOKEN="s3cret-0123456789")
    assert (done.returncode, done.stderr) == (0, "")
    assert '"default"' in done.stdout
    assert status(*trusted).returncode == 4
    file = tmp_path / "token"
    file.write_text("s3cret-0123456789\n")
    assert status(*trusted, "--token-file", str(file)).returncode == 0
    assert status(*trusted, FACEWIRE_CLIENT_TOKEN_FILE=str(file)).returncode == 0
    both = status(*trusted, "--token-file", str(file), FACEWIRE_TOKEN="s3cret-0123456789")
    assert both.returncode == 2
    assert "leave one out" in both.stderr
    file.unlink()
    assert status(*trusted, "--token-file", str(file)).returncode == 2
    assert status("--tls", FACEWIRE_TOKEN="s3cret-0123456789").returncode == 3
