"""The lines of the audit log: JSON objects, each ending with a hash of the line before it and of its own content.

    chain(n) = SHA-256(chain(n - 1) + content(n)),  chain(0) = 64 zeros

The hash is of the bytes as they are in the file, so that no other way to write the same JSON passes for the line.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["MAX_LINE_BYTES", "START", "AuditLineError", "Link", "line_after", "link_of"]

MAX_LINE_BYTES: Final = 4096
"""Most bytes of a line: a caller's name of 140 characters and a gallery's of 64 leave much room. Chosen, not measured."""

_KEY: Final = b',"chain":"'
_HEX: Final = 64
"""Hexadecimal digits of a SHA-256."""


class AuditLineError(Exception):
    """A line is not one of this log, or does not follow the line before it; the text says which."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line, as the one after it needs it.

    Attributes:
        number: counted from 1 at the log's beginning; 0 before it.
        chain: its hash, 64 hexadecimal digits.
    """

    number: int
    chain: str


START: Final = Link(0, "0" * _HEX)
"""What the first line follows."""


def line_after(before: Link, fields: Mapping[str, Any]) -> tuple[bytes, Link]:
    """Returns the line with these fields that follows another one, with its line break, and its link."""
    number = before.number + 1
    content = json.dumps({"n": number, **fields}, separators=(",", ":"))[:-1].encode("ascii")
    link = Link(number, _chain(before, content))
    return content + _KEY + link.chain.encode() + b'"}\n', link


def link_of(line: bytes, before: Link | None) -> Link:
    """Returns the link of a line without its line break.

    Args:
        line: the bytes.
        before: what it must follow; None: its place is not checked, nor its content.

    Raises:
        AuditLineError: it is not a line of the log, or does not follow.
    """
    content, key, rest = line.rpartition(_KEY)
    chain = rest.removesuffix(b'"}').decode("ascii", errors="replace")
    try:
        fields = json.loads(content + b"}") if key and len(rest) == _HEX + 2 else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not isinstance(fields.get("n"), int):
        raise AuditLineError("it is not a line of an audit log")
    link = Link(fields["n"], chain)
    if before is not None:
        if link.number != before.number + 1:
            raise AuditLineError(
                f"it has the number {link.number}, and {before.number + 1} must follow"
            )
        if chain != _chain(before, content):
            raise AuditLineError(
                "it, or what stood before it, was changed: its hash is another one"
            )
    return link


def _chain(before: Link, content: bytes) -> str:
    return hashlib.sha256(before.chain.encode() + content).hexdigest()
