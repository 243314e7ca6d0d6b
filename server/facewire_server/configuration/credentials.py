"""The server's token and certificate: read from their files, checked, and read again on SIGHUP."""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.events import CredentialsReloaded, Emit

__all__ = ["Credentials", "read_credentials", "read_file", "reload_on"]

_LEAST_TOKEN: Final = 16
"""Characters of a token: of 16 hexadecimal digits there are 2**64. Chosen, not measured."""

_ANOTHERS_KEY: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""OpenSSL's words for a key that is not the certificate's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token that clients must send, and the certificate that the server shows.

    Attributes:
        token: the bearer token, or several, one a line; "" = none is asked for.
        tls_certificate_chain: PEM; b"" = no TLS.
        tls_private_key: PEM.
    """

    token: str = field(repr=False)
    tls_certificate_chain: bytes = field(repr=False)
    tls_private_key: bytes = field(repr=False)


def read_credentials(settings: Settings) -> Credentials:
    """Reads the files that the settings name.

    Raises:
        SettingsError: a file cannot be read, the token is not of printable ASCII or too short, or the
            certificate and the key do not belong together.
    """
    token = read_file(settings.token_file).decode("ascii", errors="replace").strip()
    # A header of HTTP/2 cannot carry other characters, so no client could send the token.
    if not all(line.isascii() and line.isprintable() for line in token.splitlines()):
        raise SettingsError(f"{settings.token_file} is not a token of printable ASCII characters")
    if any(0 < len(line.strip()) < _LEAST_TOKEN for line in token.splitlines()):
        raise SettingsError(
            f"{settings.token_file} holds a token of fewer than {_LEAST_TOKEN} characters, which can be guessed; "
            "make one with: openssl rand -hex 32"
        )
    chain, key = read_file(settings.tls_certificate), read_file(settings.tls_key)
    if chain:
        _check_pair(settings, chain, key)
    return Credentials(token, chain, key)


async def reload_on(
    hangup: asyncio.Event,
    settings: Settings,
    replace: Callable[[str, bytes, bytes], None],
    emit: Emit,
) -> None:
    """Each time that `hangup` is set, reads the files again and replaces what they held; never returns.

    If a file cannot be used, nothing is replaced.

    Args:
        hangup: set from outside, cleared here.
        settings: name the files.
        replace: takes token, certificate chain and private key.
        emit: takes the outcome.
    """
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            read = await asyncio.to_thread(read_credentials, settings)
            replace(read.token, read.tls_certificate_chain, read.tls_private_key)
        except (SettingsError, OSError) as error:  # OSError: no file descriptor is left
            emit(CredentialsReloaded(str(error)))
        else:
            emit(CredentialsReloaded(""))


def read_file(path: Path | None) -> bytes:
    """Returns the content of a file that a setting names, or b"" for None.

    Raises:
        SettingsError: the file cannot be read, or is empty.
    """
    if path is None:
        return b""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise SettingsError(f"{path} is empty")  # an empty token would let everyone in
    return content


def _check_pair(settings: Settings, chain: bytes, key: bytes) -> None:
    """Checks with OpenSSL what gRPC would refuse only at the first connection, and only log."""
    # Checks these bytes, not the files, which may have been replaced since; `ssl` reads files only.
    with (
        open(os.memfd_create("certificate"), "wb", buffering=0) as certificate_file,
        open(os.memfd_create("key"), "wb", buffering=0) as key_file,
    ):
        certificate_file.write(chain)
        key_file.write(key)
        certificate, its_key = (
            f"/proc/self/fd/{each.fileno()}" for each in (certificate_file, key_file)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # Without a password argument, OpenSSL asks the terminal for the password of an encrypted key.
            context.load_cert_chain(certificate, its_key, password="")
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or "no PEM that can be read"
            if reason in _ANOTHERS_KEY:
                reason = "the key belongs to another certificate"
            raise SettingsError(
                f"{settings.tls_certificate} and {settings.tls_key} are not a certificate and its "
                f"key: {reason}"
            ) from error
