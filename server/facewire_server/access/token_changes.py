"""Changes the file of tokens: one change at a time, and a reader sees the file before it or after it, never between."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from facewire_server.access.token_file import (
    MAX_TOKENS,
    TokenFileError,
    format_tokens,
    is_plain,
    parse_tokens,
)
from facewire_server.access.tokens import Token, digest_of
from facewire_server.host.disk import sync_path
from facewire_server.host.private_files import open_private

__all__ = ["Added", "add_token", "revoke_token"]

_TOKEN_BYTES: Final = 32
"""Random bytes of a token: 256 bits, as many as SHA-256 keeps."""

_PREFIX: Final = "fw_"
"""How our tokens begin, so that whatever looks for secrets in files finds one that was committed by mistake."""


@dataclass(frozen=True, slots=True)
class Added:
    """A token that was added.

    Attributes:
        secret: the token itself, which is kept nowhere.
        hashed_count: plain tokens that the file held; they are hashed now, and valid as before.
    """

    secret: str
    hashed_count: int


def add_token(path: Path, token: Token) -> Added:
    """Makes a token, and adds what is to be known of it to a file; makes the file if there is none.

    Args:
        path: of the file.
        token: its label, roles, galleries and expiry; its digest is not used.

    Raises:
        TokenFileError: there is a token of this label, or the file cannot be used.
        OSError: it cannot be read or written; or it has the token, and may not have it any more after a power cut.
    """
    secret = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    with _locked(path):
        text = _read(path)
        tokens = list(parse_tokens(text)) if text else []
        if any(one.label == token.label for one in tokens):
            raise TokenFileError(
                f"there is a token {token.label} already: revoke it, or choose another label"
            )
        if len(tokens) >= MAX_TOKENS:
            raise TokenFileError(f"there are {MAX_TOKENS} tokens already: revoke some")
        hashed_count = len(tokens) if text and is_plain(text) else 0
        tokens.append(replace(token, digest=digest_of(secret.encode())))
        _write(path, format_tokens(tokens))
    return Added(secret, hashed_count)


def revoke_token(path: Path, label: str) -> None:
    """Removes a token from a file.

    Raises:
        TokenFileError: there is none of this label, or the file cannot be used.
        OSError: it cannot be read or written; or the token is removed, and may be back after a power cut.
    """
    with _locked(path):
        tokens = parse_tokens(_read(path))
        left = [one for one in tokens if one.label != label]
        if len(left) == len(tokens):
            raise TokenFileError(f"there is no token {label}")
        _write(path, format_tokens(left))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Locks the folder of the file: the file itself is another one after each change."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(path: Path) -> str:
    # A link would be replaced by a file, and whoever placed it chooses what is read.
    if path.is_symlink():
        raise TokenFileError("it is a symbolic link: name the file itself")
    try:
        return path.read_bytes().decode("ascii", errors="replace")
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    """Puts a file with the text in the place of the other one, on the disk when this returns."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        file = open_private(beside, os.O_WRONLY | os.O_EXCL)
        with open(file, "wb") as opened:
            with suppress(FileNotFoundError, PermissionError):
                before = path.stat()  # the server may run as another user than who adds a token
                os.fchown(file, before.st_uid, before.st_gid)
            opened.write(text.encode("ascii"))
            opened.flush()
            os.fsync(file)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_path(path.parent)
