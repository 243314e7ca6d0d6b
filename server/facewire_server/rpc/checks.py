"""Checks the fields of a request: texts, numbers, pages. `galleries.ids` checks ids."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from facewire_server.access.caller import require_gallery
from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import MAX_IDENTITY_ID_BYTES, checked_gallery_id
from facewire_server.galleries.records import DEFAULT_GALLERY_ID

__all__ = [
    "checked_page_size",
    "checked_text",
    "float_within",
    "gallery_id_or_default",
    "page_after",
    "page_of",
    "page_token",
    "whole_within",
]

T = TypeVar("T")

_DEFAULT_PAGE_SIZE = 100
"""Rows of a page if the request names no size. Chosen, not measured."""

_MAX_PAGE_SIZE = 1000
"""Most rows of a page: at most 0.5 MiB, below gRPC's default limit of 4 MiB a message. Chosen, not measured."""

_FLOAT32_SLACK = 1e-6
"""Tolerance of bounds: 0.7 sent as a float32 is 0.69999999."""


def checked_text(text: str, field: str, *, max_bytes: int, required: bool = False) -> str:
    """Returns a text of at most `max_bytes` of UTF-8; raises InvalidField, also for "" if required."""
    if required and not text:
        raise InvalidField(f"{field} is required", field=field)
    if len(text.encode()) > max_bytes:
        raise InvalidField(f"{field} has more than {max_bytes} bytes", field=field)
    return text


def gallery_id_or_default(text: str, field: str = "gallery_id") -> str:
    """Returns the id of a gallery that the caller may use; "" means the default one.

    Every id of a gallery in a request passes here, so that none can be used by whoever is limited to others.

    Raises:
        InvalidField: no gallery may have it.
        RoleRequired: the caller is limited to other galleries.
    """
    gallery_id = checked_gallery_id(text, field) if text else DEFAULT_GALLERY_ID
    require_gallery(gallery_id)
    return gallery_id


def whole_within(value: int, least: int, most: int, field: str) -> int:
    """Returns a whole number within a closed range; raises InvalidField."""
    if not least <= value <= most:
        raise InvalidField(f"{field} must lie in [{least}, {most}]", field=field)
    return value


def float_within(
    value: float, least: float, most: float, field: str, *, above_least: bool = False
) -> float:
    """Returns a number within a range, closed unless `above_least`; raises InvalidField, also for NaN."""
    if above_least:
        within = least < value <= most + _FLOAT32_SLACK
    else:
        within = least - _FLOAT32_SLACK <= value <= most + _FLOAT32_SLACK
    if not within:
        opening = "(" if above_least else "["
        raise InvalidField(f"{field} must lie in {opening}{least:g}, {most:g}]", field=field)
    return value


def checked_page_size(value: int) -> int:
    """Returns the rows of a page; 0 = 100."""
    return whole_within(value or _DEFAULT_PAGE_SIZE, 1, _MAX_PAGE_SIZE, "page_size")


def page_token(last_id: str) -> str:
    """Returns the token of the page after this id. Opaque to clients: base64url of the id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode()


def page_of(rows: Sequence[T], size: int, id_of: Callable[[T], str]) -> tuple[Sequence[T], str]:
    """Returns the rows of a page, of which one more was asked for, and the next page's token."""
    page = rows[:size]
    return page, page_token(id_of(page[-1])) if len(rows) > size else ""


def page_after(token: str) -> str:
    """Returns the id after which the token's page begins; "" = from the start."""
    try:
        data = base64.b64decode(token, altchars=b"-_", validate=True)
        if len(data) > MAX_IDENTITY_ID_BYTES:
            raise ValueError("longer than any id")
        return data.decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidField(
            "page_token was not returned by this server", field="page_token"
        ) from error
