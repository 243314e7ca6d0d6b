"""Names of cameras and people as parts of topics and ids, in which most characters are forbidden."""

import hashlib
import re

__all__ = ["key_of", "person_key"]

_LONGEST_KEY = 40
"""Most characters of a name that are kept in a key. Chosen, not measured: long enough to be read."""

_DIGEST_DIGITS = 8
"""Hexadecimal digits that keep two names apart: of a thousand names two have the same ones with a probability of 1 in 9,000."""

_PERSON_DIGITS = 16
"""The same for people, of whom there may be a million."""


def key_of(name: str) -> str:
    """Returns a name as letters a to z, digits, "-" and "_", for topics and ids of Home Assistant.

    Two names have two keys: one that loses characters has a digest behind it.
    """
    kept = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_")[:_LONGEST_KEY]
    if kept and kept == name:
        return kept
    return f"{kept or 'camera'}_{_digest(name)[:_DIGEST_DIGITS]}"


def person_key(gallery_id: str, identity_id: str) -> str:
    """Returns a key that does not say who a person is. It is no secret: who has the id can compute it."""
    return _digest(f"{gallery_id}\0{identity_id}")[:_PERSON_DIGITS]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
