"""Tokens: what the server keeps of each, and how the one that a call sends is found."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from facewire_server.access.caller import Caller
from facewire_server.access.roles import EVERY_ROLE, Role

__all__ = ["MAX_TOKEN_BYTES", "Token", "Tokens", "digest_of", "plain_tokens"]

MAX_TOKEN_BYTES: Final = 512
"""Most bytes of a token that is sent; longer ones are refused unread. Ours have 46. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of one token, which is not the token.

    Attributes:
        label: names it to people; of each token another one.
        digest: its SHA-256.
        roles: what it is for.
        galleries: ids that it is limited to; None: all galleries.
        expires: when it ceases to be valid, with a time zone; None: never.
    """

    label: str
    digest: bytes
    roles: frozenset[Role]
    galleries: frozenset[str] | None = None
    expires: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires is None or now < self.expires

    @property
    def caller(self) -> Caller:
        """Whoever sends it."""
        return Caller(f"token {self.label}", self.roles, self.galleries)


class Tokens:
    """The tokens that are in force."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._tokens = tuple(tokens)

    @property
    def all(self) -> tuple[Token, ...]:
        """All of them, also those that have expired."""
        return self._tokens

    def find(self, sent: bytes, now: datetime) -> Token | None:
        """Returns the valid token that a call sent, or None.

        Compares in constant time, with every token, so that the time reveals neither which token nor how much of it
        was right. It grows with the number of tokens, which is no secret.
        """
        if len(sent) > MAX_TOKEN_BYTES:
            return None
        digest = digest_of(sent)
        found = None
        for token in self._tokens:
            if hmac.compare_digest(digest, token.digest):
                found = token
        return found if found is not None and found.is_valid(now) else None

    def still_has(self, token: Token, now: datetime) -> bool:
        """Whether a token is valid, and permits what it did: neither revoked, nor changed, nor expired."""
        # Not its label: a plain token is called by its place in the file.
        return token.is_valid(now) and any(
            replace(one, label=token.label) == token for one in self._tokens
        )


def digest_of(token: bytes) -> bytes:
    """Returns what is kept in place of a token: its SHA-256.

    A slow hash with a salt, as passwords need it, would protect nothing here: `token add` makes tokens of 256 random bits, which
    no one can try out, and it would cost every call tens of milliseconds of a processor.
    """
    return hashlib.sha256(token).digest()


def plain_tokens(text: str) -> tuple[Token, ...]:
    """Returns the tokens of a file that holds them as they are, one a line: each has every role, for all galleries."""
    lines = (line.strip() for line in text.splitlines())
    found = dict.fromkeys(line for line in lines if line)
    return tuple(
        Token(f"plain-{number}", digest_of(line.encode()), EVERY_ROLE)
        for number, line in enumerate(found, start=1)
    )
