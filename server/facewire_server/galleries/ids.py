"""Which ids are valid: the one definition, for the wire and for the storage."""

import re
import unicodedata

from facewire_server.errors import InvalidField

__all__ = [
    "MAX_IDENTITY_ID_BYTES",
    "checked_gallery_id",
    "checked_identity_id",
    "checked_template_id",
    "is_gallery_id",
    "is_identity_id",
    "is_template_id",
]

MAX_IDENTITY_ID_BYTES = 128
"""Bytes of UTF-8. With a gallery's 64 it fits a key of LMDB, which takes 511 bytes."""

_GALLERY_ID = re.compile(r"[a-z0-9_.-]{1,64}")
_TEMPLATE_ID = re.compile(r"[0-9a-f]{32}")


def is_gallery_id(text: str) -> bool:
    """Whether a gallery may have this id: 1 to 64 of a-z, 0-9, "-", "_", "."."""
    return _GALLERY_ID.fullmatch(text) is not None


def is_identity_id(text: str) -> bool:
    """Whether an identity may have this id: 1 to 128 bytes of UTF-8 without control characters.

    Ids are taken as they are, without Unicode normalization: two spellings of one name are two
    ids, and an id comes back byte for byte as it was sent.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= MAX_IDENTITY_ID_BYTES and not any(
        unicodedata.category(character) == "Cc" for character in text
    )


def is_template_id(text: str) -> bool:
    """Whether a template may have this id: 32 lower-case hexadecimal digits."""
    return _TEMPLATE_ID.fullmatch(text) is not None


def checked_gallery_id(text: str, field: str = "gallery_id") -> str:
    """Returns the id; raises InvalidField, with this field's path, if no gallery may have it."""
    if not is_gallery_id(text):
        raise InvalidField(f'{field} must be 1 to 64 of a-z, 0-9, "-", "_", "."', field=field)
    return text


def checked_identity_id(text: str, field: str = "identity_id") -> str:
    """Returns the id; raises InvalidField, with this field's path, if no identity may have it."""
    if not is_identity_id(text):
        raise InvalidField(
            f"{field} must be 1 to {MAX_IDENTITY_ID_BYTES} bytes of UTF-8 "
            "without control characters",
            field=field,
        )
    return text


def checked_template_id(text: str, field: str = "template_id") -> str:
    """Returns the id; raises InvalidField, with this field's path, if no template may have it."""
    if not is_template_id(text):
        raise InvalidField(f"{field} must be 32 lower-case hexadecimal digits", field=field)
    return text
