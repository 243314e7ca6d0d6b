"""`/api/merge` and `/api/split`: two identities that are one person, and one that is two. The ids are in the bodies."""

import uuid
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from facewire_console.api.forms import bad_request, read_json
from facewire_console.console import console_of, gallery_of
from facewire_console.shapes import identity_json

__all__ = ["merge", "split"]

_MOST: Final = 1000
"""Templates of one split: the contract's limit."""


async def merge(request: Request) -> JSONResponse:
    """Merges an identity into another one; returns that one, and the templates that a split would take back."""
    content = await read_json(request)
    stays, goes = (_text(content, name) for name in ("identity_id", "merged_identity_id"))
    client, gallery = console_of(request).client, gallery_of(request)
    moved = [each.template_id async for each in client.templates(goes, gallery=gallery)]
    identity = await client.merge_identities(stays, goes, gallery=gallery)
    return JSONResponse({"identity": identity_json(identity), "moved_template_ids": moved})


async def split(request: Request) -> JSONResponse:
    """Makes some templates of an identity those of a new one, which is returned."""
    content = await read_json(request)
    identity_id, name = _text(content, "identity_id"), _text(content, "name").strip()
    template_ids = content.get("template_ids")
    if not isinstance(template_ids, list) or not all(
        isinstance(each, str) for each in template_ids
    ):
        raise bad_request("template_ids must be a list of texts", "template_ids")
    if not 1 <= len(template_ids) <= _MOST:
        raise bad_request(f"template_ids must have 1 to {_MOST} elements", "template_ids")
    if not name:
        raise bad_request("name must not be blank", "name")
    identity = await console_of(request).client.split_identity(
        identity_id,
        template_ids,
        _text(content, "new_identity_id") if "new_identity_id" in content else uuid.uuid4().hex,
        gallery=gallery_of(request),
        display_name=name,
    )
    return JSONResponse(identity_json(identity), status_code=201)


def _text(content: dict[str, Any], name: str) -> str:
    """Returns a field of the body; raises Refused if it is missing."""
    text = content.get(name)
    if not isinstance(text, str) or not text:
        raise bad_request(f"{name} must be a text", name)
    return text
