"""What the fields of a request may be: texts, ids, numbers, pages.

Identity ids are taken as they are, without Unicode normalisation: two spellings of one
name are two ids, and an id comes back byte for byte as it was sent.
"""

import base64
import binascii

from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import (
    MAX_IDENTITY_ID_BYTES,
    is_gallery_id,
    is_identity_id,
    is_template_id,
)
from facewire_server.galleries.records import DEFAULT_GALLERY_ID

__all__ = [
    "checked_page_size",
    "checked_text",
    "float_within",
    "gallery_id_or_default",
    "identity_id",
    "page_after",
    "page_token",
    "template_id",
    "whole_within",
]

_DEFAULT_PAGE_SIZE = 100
_MAX_PAGE_SIZE = 1000
_FLOAT32_SLACK = 1e-6
"""0.7 sent as a float is 0.69999999: bounds are held with this much room."""


def checked_text(text: str, field: str, *, max_bytes: int, required: bool = False) -> str:
    """A text of at most so many bytes of UTF-8; where required, not empty."""
    if required and not text:
        raise InvalidField(f"{field} is required", field=field)
    if len(text.encode()) > max_bytes:
        raise InvalidField(f"{field} has more than {max_bytes} bytes", field=field)
    return text


def gallery_id_or_default(text: str, field: str = "gallery_id") -> str:
    """The id of a gallery; "" means the default one."""
    if not text:
        return DEFAULT_GALLERY_ID
    if not is_gallery_id(text):
        raise InvalidField(f'{field} must be 1 to 64 of a-z, 0-9, "-", "_", "."', field=field)
    return text


def identity_id(text: str, field: str = "identity_id") -> str:
    """The id of an identity: 1 to 128 bytes without control characters."""
    checked_text(text, field, max_bytes=MAX_IDENTITY_ID_BYTES, required=True)
    if not is_identity_id(text):
        raise InvalidField(f"{field} has a control character", field=field)
    return text


def template_id(text: str, field: str = "template_id") -> str:
    """The id of a template: 32 hexadecimal digits, in lower case."""
    if not is_template_id(text):
        raise InvalidField(f"{field} must be 32 hexadecimal digits", field=field)
    return text


def whole_within(value: int, least: int, most: int, field: str) -> int:
    """A whole number within a closed range."""
    if not least <= value <= most:
        raise InvalidField(f"{field} must lie in [{least}, {most}]", field=field)
    return value


def float_within(
    value: float, least: float, most: float, field: str, *, above_least: bool = False
) -> float:
    """A number within a range, closed unless `above_least`; infinities and NaN never are."""
    if above_least:
        within = least < value <= most + _FLOAT32_SLACK
    else:
        within = least - _FLOAT32_SLACK <= value <= most + _FLOAT32_SLACK
    if not within:
        opening = "(" if above_least else "["
        raise InvalidField(f"{field} must lie in {opening}{least:g}, {most:g}]", field=field)
    return value


def checked_page_size(value: int) -> int:
    """The rows of a page; 0 = 100."""
    return whole_within(value or _DEFAULT_PAGE_SIZE, 1, _MAX_PAGE_SIZE, "page_size")


def page_token(last_id: str) -> str:
    """The token of the page after this id. Opaque to clients: base64url of the id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode()


def page_after(token: str) -> str:
    """The id after which the token's page begins; "" = from the start."""
    try:
        data = base64.b64decode(token, altchars=b"-_", validate=True)
        if len(data) > MAX_IDENTITY_ID_BYTES:
            raise ValueError("longer than any id")
        return data.decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidField(
            "page_token is not one that this server gave", field="page_token"
        ) from error
