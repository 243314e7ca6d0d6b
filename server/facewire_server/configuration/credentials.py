"""The server's tokens and certificates: read from their files, checked, and read again on SIGHUP or when the tokens change."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from facewire_server.access.token_file import TokenFileError, is_plain, parse_tokens
from facewire_server.access.tokens import Token
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.events import CredentialsReloaded, Emit

__all__ = ["Credentials", "read_credentials", "read_file", "reload_on"]

_POLL_S: Final = 1.0
"""Seconds between two looks whether the file of tokens has changed. Chosen, not measured: a look costs microseconds."""

_MAX_TOKEN_FILE_BYTES: Final = 4 << 20
"""Most bytes of a file of tokens, as many tokens as are allowed with forty galleries each. Chosen, not measured."""

_OTHERS_WRITE: Final = 0o022
"""The rights of group and others to write. Whoever has them could give themselves a role."""

_ANOTHERS_KEY: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""OpenSSL's words for a key that is not the certificate's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The tokens of which clients must send one, and the certificates of TLS.

    Attributes:
        tokens: in force; None = none is asked for.
        tls_certificate_chain: PEM; b"" = no TLS.
        tls_private_key: PEM.
        tls_client_authorities: PEM; b"" = clients are not asked for a certificate.
    """

    tokens: tuple[Token, ...] | None = field(repr=False)
    tls_certificate_chain: bytes = field(repr=False)
    tls_private_key: bytes = field(repr=False)
    tls_client_authorities: bytes = field(repr=False)


def read_credentials(settings: Settings) -> Credentials:
    """Reads the files that the settings name.

    Raises:
        SettingsError: a file cannot be read, holds what is no token, others may write the file of tokens, or
            the certificate and the key do not belong together.
    """
    tokens = None if settings.token_file is None else _read_tokens(settings.token_file)
    chain, key = read_file(settings.tls_certificate), read_file(settings.tls_key)
    authorities = read_file(settings.tls_client_ca)
    if chain:
        _check_pair(settings, chain, key)
    if authorities:
        _check_authorities(settings, authorities)
    return Credentials(tokens, chain, key, authorities)


async def reload_on(
    hangup: asyncio.Event,
    settings: Settings,
    replace: Callable[[Credentials], Mapping[str, Any]],
    keep: Callable[[Mapping[str, Any]], Awaitable[None]],
    emit: Emit,
) -> None:
    """Reads the files again each time that `hangup` is set, or the file of tokens has changed; never returns.

    If a file cannot be used, nothing is replaced.

    Args:
        hangup: set from outside, cleared here.
        settings: name the files.
        replace: takes what was read, and returns what that changed.
        keep: keeps the outcome, and what was changed, in the audit log; it does not raise, nor last.
        emit: takes the outcome.
    """
    seen = _signature(settings.token_file)
    while True:
        try:
            async with asyncio.timeout(_POLL_S):
                await hangup.wait()
        except TimeoutError:
            if (found := _signature(settings.token_file)) == seen:
                continue
        else:
            found = _signature(settings.token_file)
        hangup.clear()
        seen = found  # from before the reading: a change meanwhile is read at the next look
        try:
            changes = replace(await asyncio.to_thread(read_credentials, settings))
        except (SettingsError, OSError) as error:  # OSError: no file descriptor is left
            emit(CredentialsReloaded(str(error)))
            await keep({"complete": False})
        else:
            emit(CredentialsReloaded(""))
            await keep({**changes, "complete": True})


def _signature(path: Path | None) -> tuple[int, ...] | None:
    """Returns what differs after a change of a file; None if there is none."""
    try:
        status = path.stat() if path else None
    except OSError:
        return None
    return status and (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _read_tokens(path: Path) -> tuple[Token, ...]:
    """Returns the tokens of a file; a link is followed, since Kubernetes mounts secrets as links."""
    content, mode = _content(path, _MAX_TOKEN_FILE_BYTES)
    text = content.decode("ascii", errors="replace")
    if not is_plain(text) and mode & _OTHERS_WRITE:
        raise SettingsError(f"{path} can be written by others (mode 0{mode:03o}): chmod 600 {path}")
    try:
        return parse_tokens(text)
    except TokenFileError as error:
        raise SettingsError(f"{path} cannot be used: {error}") from error


def read_file(path: Path | None) -> bytes:
    """Returns the content of a file that a setting names, or b"" for None.

    Raises:
        SettingsError: the file cannot be read, or is empty.
    """
    if path is None:
        return b""
    return _content(path, None)[0]


def _content(path: Path, most: int | None) -> tuple[bytes, int]:
    """Returns content and mode of one and the same file; raises SettingsError as `read_file`, also above `most` bytes."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            content = file.read() if most is None else file.read(most + 1)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    if most is not None and len(content) > most:
        raise SettingsError(f"{path} has more than {most} bytes")
    if not content.strip():
        raise SettingsError(f"{path} is empty")  # an empty token would let everyone in
    return content, mode


def _check_authorities(settings: Settings, authorities: bytes) -> None:
    try:
        ssl.create_default_context(cadata=authorities.decode("ascii"))
    except (ValueError, ssl.SSLError) as error:
        raise SettingsError(f"{settings.tls_client_ca} holds no certificates in PEM") from error


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
