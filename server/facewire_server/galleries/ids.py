"""Which ids are valid: the one definition, for the wire and for the storage."""

import re
import unicodedata

from facewire_server.errors import InvalidField
from facewire_server.galleries.visible import unseen_in_id

__all__ = [
    "MAX_IDENTITY_ID_BYTES",
    "are_one_id",
    "checked_gallery_id",
    "checked_identity_id",
    "checked_new_identity_id",
    "checked_template_id",
    "composed",
    "is_gallery_id",
    "is_identity_id",
    "is_template_id",
    "spellings",
]

MAX_IDENTITY_ID_BYTES = 128
"""Bytes of UTF-8. With a gallery's 64 it fits a key of LMDB, which takes 511 bytes."""

_GALLERY_ID = re.compile(r"[a-z0-9_.-]{1,64}")
_TEMPLATE_ID = re.compile(r"[0-9a-f]{32}")

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Unicode's category Cc, which never gets another character (Unicode Standard, stability policies)."""


def is_gallery_id(text: str) -> bool:
    """Whether a gallery may have this id: 1 to 64 of a-z, 0-9, "-", "_", "."."""
    return _GALLERY_ID.fullmatch(text) is not None


def is_identity_id(text: str) -> bool:
    """Whether a stored identity may have this id: 1 to 128 bytes of UTF-8 without control characters.

    Earlier versions took any such id, so it can be found, exported, imported and deleted. A new one
    must be visible, too: `checked_new_identity_id`.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= MAX_IDENTITY_ID_BYTES and _CONTROL_CHARACTER.search(text) is None


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


def checked_new_identity_id(text: str, field: str = "identity_id") -> str:
    """Returns the id that a new identity gets: the text in its composed spelling (Unicode's NFC).

    Raises:
        InvalidField: no identity may have it, or a person cannot see all of it.
    """
    identity_id = unicodedata.normalize("NFC", checked_identity_id(text, field))
    if fault := unseen_in_id(identity_id):
        raise InvalidField(f"{field} {fault}", field=field)
    return checked_identity_id(identity_id, field)  # some letters are longer composed


def composed(identity_id: str) -> str:
    """Returns an id in its composed spelling (NFC), unless that is too long for an id."""
    text = unicodedata.normalize("NFC", identity_id)
    return text if is_identity_id(text) else identity_id


def spellings(identity_id: str) -> tuple[str, ...]:
    """Returns the ids under which an identity may be stored: as given, composed, decomposed.

    macOS decomposes the names of files ("e" and an accent), Linux and Windows leave them composed;
    both look the same and are one id. Earlier versions stored ids as received.
    """
    if not is_identity_id(identity_id):
        return ()
    forms = (unicodedata.normalize(form, identity_id) for form in ("NFC", "NFD"))
    return tuple(dict.fromkeys([identity_id, *filter(is_identity_id, forms)]))


def are_one_id(first: str, second: str) -> bool:
    """Whether two ids are spellings of one."""
    return unicodedata.normalize("NFC", first) == unicodedata.normalize("NFC", second)


def checked_template_id(text: str, field: str = "template_id") -> str:
    """Returns the id of a template or negative example; raises InvalidField, with this field's path, if none may have it."""
    if not is_template_id(text):
        raise InvalidField(f"{field} must be 32 lower-case hexadecimal digits", field=field)
    return text
