"""The file of tokens: a JSON object a line, after a first line that names the format. It holds hashes, never a token.

A file without this first line holds plain tokens, one a line, as every version before did.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from facewire_server.access.roles import Role
from facewire_server.access.tokens import Token, plain_tokens
from facewire_server.galleries.ids import is_gallery_id

__all__ = ["MAX_TOKENS", "TokenFileError", "format_tokens", "is_label", "is_plain", "parse_tokens"]

MAX_TOKENS: Final = 1000
"""Most tokens of a file: each is compared with what every call sends, in 0.3 µs. Chosen, not measured."""

_LEAST_CHARACTERS: Final = 16
"""Characters of a plain token: of 16 hexadecimal digits there are 2**64. Chosen, not measured."""

_HEAD: Final = {"facewire_tokens": 1}
"""The first line. Another number is another format."""

_LABEL: Final = re.compile(r"[A-Za-z0-9_.@:-]{1,64}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FIELDS: Final = frozenset({"label", "sha256", "roles", "galleries", "expires"})


class TokenFileError(Exception):
    """A file of tokens cannot be used; the text says why, and quotes nothing of it but labels."""


def is_label(text: str) -> bool:
    """Whether a token may have this label: 1 to 64 of letters, digits, "_", ".", "@", ":", "-"."""
    return _LABEL.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Whether a file holds plain tokens."""
    return "facewire_tokens" not in text.partition("\n")[0]


def parse_tokens(text: str) -> tuple[Token, ...]:
    """Returns the tokens of a file, in order.

    Raises:
        TokenFileError: a line is not a token, two have one label, or a plain one is too short or not of printable ASCII.
    """
    if is_plain(text):
        return _plain(text)
    head, *lines = text.split("\n")
    if _object(head, 1) != _HEAD:
        raise TokenFileError(
            "it has a format that this version does not know: a later version wrote it"
        )
    tokens = [_token(line, number) for number, line in enumerate(lines, start=2) if line.strip()]
    if len(tokens) > MAX_TOKENS:
        raise TokenFileError(f"it has more than {MAX_TOKENS} tokens")
    for what in ("label", "digest"):
        if len({getattr(token, what) for token in tokens}) < len(tokens):
            raise TokenFileError("two of its tokens have one label, or are the same")
    return tuple(tokens)


def format_tokens(tokens: Iterable[Token]) -> str:
    """Returns the text of a file with these tokens."""
    rows: list[dict[str, Any]] = [dict(_HEAD)]
    for token in tokens:
        row: dict[str, Any] = {"label": token.label, "sha256": token.digest.hex()}
        row["roles"] = sorted(role.value for role in token.roles)
        if token.galleries is not None:
            row["galleries"] = sorted(token.galleries)
        if token.expires is not None:
            row["expires"] = token.expires.astimezone(UTC).isoformat(timespec="seconds")
        rows.append(row)
    return "".join(json.dumps(row) + "\n" for row in rows)


def _plain(text: str) -> tuple[Token, ...]:
    for line in text.splitlines():
        # A header of HTTP/2 cannot carry other characters, so no client could send the token.
        if not (line.isascii() and line.isprintable()):
            raise TokenFileError("it is not a token of printable ASCII characters")
        if 0 < len(line.strip()) < _LEAST_CHARACTERS:
            raise TokenFileError(
                f"it holds a token of fewer than {_LEAST_CHARACTERS} characters, which can be guessed; "
                "make one with: openssl rand -hex 32"
            )
    tokens = plain_tokens(text)
    if len(tokens) > MAX_TOKENS:
        raise TokenFileError(f"it has more than {MAX_TOKENS} tokens")
    return tokens


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TokenFileError(f"line {number} is not a JSON object")
    return value


def _token(line: str, number: int) -> Token:
    row = _object(line, number)
    if unknown := row.keys() - _FIELDS:
        # Not passed over: it may limit the token, in a way that this version would not.
        raise TokenFileError(
            f"line {number} has {len(unknown)} fields that this version does not know"
        )
    label, digest, expires = row.get("label"), row.get("sha256"), row.get("expires")
    if not (isinstance(label, str) and is_label(label)):
        raise TokenFileError(f"line {number} has no label")
    if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise TokenFileError(f"line {number}, {label}: sha256 must be 64 hexadecimal digits")
    roles = _words(row.get("roles"), {role.value for role in Role})
    if roles is None:
        raise TokenFileError(f"line {number}, {label}: roles must be a list of roles")
    galleries = None
    if "galleries" in row:
        galleries = _words(row["galleries"], None)
        if galleries is None or not all(map(is_gallery_id, galleries)):
            raise TokenFileError(f"line {number}, {label}: galleries must be a list of gallery ids")
    return Token(
        label,
        bytes.fromhex(digest),
        frozenset(map(Role, roles)),
        galleries,
        None if expires is None else _time(expires, f"line {number}, {label}"),
    )


def _words(value: object, known: set[str] | None) -> frozenset[str] | None:
    """Returns a list of texts, not an empty one, all of them known; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    if not all(isinstance(one, str) and (known is None or one in known) for one in value):
        return None
    return frozenset(value)


def _time(text: object, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise TokenFileError(f"{where}: expires must be a time such as 2027-01-31T00:00:00+00:00")
    return time
