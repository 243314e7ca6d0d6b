"""`GET /api/checkup`: what in a gallery harms its recognition."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from facewire_console.api.forms import whole_number
from facewire_console.console import console_of, gallery_of
from facewire_console.shapes import checkup_json

__all__ = ["check_gallery"]

_LIMIT: Final = 20
"""Findings of a kind, if the request says nothing: the contract's default."""

_MOST: Final = 100
"""The contract's limit."""


async def check_gallery(request: Request) -> JSONResponse:
    """Returns the findings of each kind, worst first."""
    checkup = await console_of(request).client.check_gallery(
        gallery=gallery_of(request),
        max_findings=whole_number(request, "limit", default=_LIMIT, most=_MOST),
    )
    return JSONResponse(checkup_json(checkup))
