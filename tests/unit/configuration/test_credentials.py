"""Files of token and certificate that cannot be used are refused when they are read."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from facewire_server.access.roles import Role
from facewire_server.access.token_changes import add_token
from facewire_server.access.tokens import Token, plain_tokens
from facewire_server.configuration.credentials import read_credentials
from facewire_server.configuration.settings import Settings, SettingsError
from fakes.certificates import self_signed
from fakes.python import PATHS

READ_ON_TERMINAL = """
import fcntl, sys, termios
from pathlib import Path
from facewire_server.configuration.credentials import read_credentials
from facewire_server.configuration.settings import Settings
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
certificate, key = map(Path, sys.argv[1:])
read_credentials(Settings(tls_certificate=certificate, tls_key=key))
"""


def test_what_the_files_hold_is_read_and_shown_nowhere(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    token = tmp_path / "token"
    token.write_text(" s3cret-0123456789 \n")
    settings = Settings(tls_certificate=certificate, tls_key=key, token_file=token)
    credentials = read_credentials(settings)
    assert credentials.tokens == plain_tokens("s3cret-0123456789")
    assert credentials.tls_certificate_chain == certificate.read_bytes()
    assert credentials.tls_private_key == key.read_bytes()
    assert repr(credentials) == "Credentials()"


def test_an_encrypted_key_is_refused_and_no_password_is_asked_for(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    encrypted = tmp_path / "encrypted.pem"
    encrypt = ["openssl", "pkey", "-in", str(key), "-out", str(encrypted), "-aes256"]
    subprocess.run([*encrypt, "-passout", "pass:word"], check=True, capture_output=True)
    ours, its = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_ON_TERMINAL, certificate, encrypted],
            env=os.environ | {"PYTHONPATH": PATHS},
            stdin=its,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=60,  # OpenSSL would wait for the terminal
        )
    finally:
        os.close(its)
        os.close(ours)
    assert done.returncode == 1
    assert "are not a certificate and its key" in done.stderr


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b" \n", "is empty"),
        (b"\xff", "printable ASCII"),
        ("0123456789abcdef".encode("utf-16"), "printable ASCII"),
        (b"a\tb", "printable ASCII"),
        (b"0123456789abcde", "fewer than 16"),
        (b"0123456789abcdef\n\na\n", "fewer than 16"),
    ],
)
def test_a_file_that_holds_no_token_is_refused(
    tmp_path: Path, content: bytes, reported: str
) -> None:
    token = tmp_path / "token"
    token.write_bytes(content)
    with pytest.raises(SettingsError, match=reported):
        read_credentials(Settings(token_file=token))
    token.unlink()
    with pytest.raises(SettingsError, match="No such file"):
        read_credentials(Settings(token_file=token))


def test_the_key_of_another_certificate_is_called_that(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    certificate, _ = self_signed(tmp_path / "one")
    _, key = self_signed(tmp_path / "other")
    with pytest.raises(SettingsError, match="the key belongs to another certificate"):
        read_credentials(Settings(tls_certificate=certificate, tls_key=key))


def test_a_file_of_hashed_tokens_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    add_token(path, Token("door", b"", frozenset({Role.CAMERA})))
    link = tmp_path / "link"
    link.symlink_to(path)  # as Kubernetes mounts a secret
    assert read_credentials(Settings(token_file=link)).tokens
    for mode in (0o620, 0o602):
        path.chmod(mode)
        for name in (path, link):
            with pytest.raises(SettingsError, match="can be written by others"):
                read_credentials(Settings(token_file=name))


def test_an_endless_file_of_tokens_is_refused() -> None:
    with pytest.raises(SettingsError, match="has more than"):
        read_credentials(Settings(token_file=Path("/dev/zero")))


def test_authorities_that_are_no_certificates_are_refused(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    settings = Settings(tls_certificate=certificate, tls_key=key, tls_client_ca=key)
    with pytest.raises(SettingsError, match="holds no certificates"):
        read_credentials(settings)
    settings = Settings(tls_certificate=certificate, tls_key=key, tls_client_ca=certificate)
    assert read_credentials(settings).tls_client_authorities == certificate.read_bytes()
