"""Encrypts the crops that galleries keep: AES-256-GCM (NIST SP 800-38D), with a random nonce for each record."""

import hashlib
import os
import re
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["MAX_KEYS", "CropKeys", "UnreadableCrop", "key_ids", "sealed_by"]

MAX_KEYS: Final = 8
"""Most keys of a file: the one in force, and those of crops that were not encrypted again yet. Chosen, not measured."""

_ID_BYTES: Final = 8
"""Bytes of a key's id: of 2**64 ids no two of `MAX_KEYS` are the same."""

_NONCE_BYTES: Final = 12
"""Bytes of a nonce, as SP 800-38D recommends. Random ones may be used 2**32 times a key (its section 8.3)."""

_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")


class UnreadableCrop(Exception):
    """A record was not sealed by one of the keys, not for this template, or is not what was written."""


class CropKeys:
    """The operator's keys.

    Attributes:
        ids: of the keys, 8 bytes each, in order: digests, from which no key can be found. The first key seals.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Takes keys of 32 bytes, one or more."""
        self.ids = tuple(_id(key) for key in keys)
        self._ciphers = dict(zip(self.ids, map(AESGCM, keys), strict=True))
        self._keys = tuple(keys)

    @classmethod
    def parse(cls, text: str) -> "CropKeys":
        """Reads the text of a key file: 64 hexadecimal digits a line, the key in force first.

        Raises:
            ValueError: it is no such text; the message quotes nothing of it.
        """
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not 1 <= len(lines) <= MAX_KEYS or not all(map(_KEY.fullmatch, lines)):
            raise ValueError(
                f"it must hold 1 to {MAX_KEYS} keys, each a line of 64 hexadecimal digits; "
                "make one with: openssl rand -hex 32"
            )
        return cls([bytes.fromhex(line) for line in lines])

    def format(self) -> str:
        """Returns the text that `parse` reads."""
        return "".join(f"{key.hex()}\n" for key in self._keys)

    def seal(self, data: bytes, about: bytes) -> bytes:
        """Returns the record of some data: the key's id, the nonce, and the data encrypted.

        Args:
            data: to be kept.
            about: what the record belongs to; `open` needs the same.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return self.ids[0] + nonce + self._ciphers[self.ids[0]].encrypt(nonce, data, about)

    def open(self, record: bytes, about: bytes) -> bytes:
        """Returns the data of a record.

        Raises:
            UnreadableCrop: another key sealed it, it belongs to something else, or it was changed.
        """
        cipher = self._ciphers.get(sealed_by(record))
        if cipher is None:
            raise UnreadableCrop("none of the keys has sealed it")
        start = _ID_BYTES + _NONCE_BYTES
        try:
            return cipher.decrypt(record[_ID_BYTES:start], record[start:], about)
        except (InvalidTag, ValueError) as error:
            raise UnreadableCrop("it is not what was written") from error


def sealed_by(record: bytes | memoryview) -> bytes:
    """Returns the id of the key that sealed a record."""
    return bytes(record[:_ID_BYTES])


def key_ids(joined: bytes) -> frozenset[bytes]:
    """Returns the ids that are joined to one text of bytes."""
    return frozenset(
        joined[start : start + _ID_BYTES] for start in range(0, len(joined), _ID_BYTES)
    )


def _id(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=_ID_BYTES, person=b"facewire crops").digest()
