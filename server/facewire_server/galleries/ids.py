"""What ids may be: the one place that says so, for the wire and for the storage."""

import re
import unicodedata

__all__ = ["MAX_IDENTITY_ID_BYTES", "is_gallery_id", "is_identity_id", "is_template_id"]

MAX_IDENTITY_ID_BYTES = 128

_GALLERY_ID = re.compile(r"[a-z0-9_.-]{1,64}")
_TEMPLATE_ID = re.compile(r"[0-9a-f]{32}")


def is_gallery_id(text: str) -> bool:
    """Whether a gallery may have this id: 1 to 64 of a-z, 0-9, "-", "_", "."."""
    return _GALLERY_ID.fullmatch(text) is not None


def is_identity_id(text: str) -> bool:
    """Whether an identity may have this id: 1 to 128 bytes of UTF-8 without control characters."""
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
