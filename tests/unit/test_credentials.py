"""Files of token and certificate that cannot be used are refused when they are read."""

import subprocess
from pathlib import Path

import pytest

from facewire_server.credentials import read_credentials
from facewire_server.settings import Settings, SettingsError
from fakes.certificates import self_signed


def test_what_the_files_hold_is_read_and_shown_nowhere(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    token = tmp_path / "token"
    token.write_text(" s3cret \n")
    settings = Settings(tls_certificate=certificate, tls_key=key, token_file=token)
    credentials = read_credentials(settings)
    assert credentials.token == "s3cret"
    assert credentials.tls_certificate_chain == certificate.read_bytes()
    assert credentials.tls_private_key == key.read_bytes()
    assert repr(credentials) == "Credentials()"


def test_an_encrypted_key_is_refused_and_no_password_is_asked_for(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    encrypted = tmp_path / "encrypted.pem"
    encrypt = ["openssl", "pkey", "-in", str(key), "-out", str(encrypted), "-aes256"]
    subprocess.run([*encrypt, "-passout", "pass:word"], check=True, capture_output=True)
    with pytest.raises(SettingsError, match="not a certificate and its key"):
        read_credentials(Settings(tls_certificate=certificate, tls_key=encrypted))


@pytest.mark.parametrize(
    ("content", "reported"),
    [(b" \n", "is empty"), (b"\xff", "printable ASCII"), (b"a\tb", "printable ASCII")],
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
