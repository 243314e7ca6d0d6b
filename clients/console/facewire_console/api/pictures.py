"""`/api/recognize` and `/api/compare`: single pictures."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from facewire_console.api.forms import flag, read_form, read_picture, whole_number
from facewire_console.api.people import selection_of
from facewire_console.console import console_of, gallery_of
from facewire_console.face_shapes import detected_json
from facewire_console.shapes import recognition_json

__all__ = ["compare", "recognize"]

_MOST_CANDIDATES: Final = 20
"""The contract's limit."""


async def recognize(request: Request) -> JSONResponse:
    """Returns every face of a picture, and who it is."""
    candidates = 0
    if "candidates" in request.query_params:
        candidates = whole_number(request, "candidates", default=1, most=_MOST_CANDIDATES)
    found = await console_of(request).client.recognize(
        await read_picture(request),
        gallery=gallery_of(request),
        max_candidates=candidates,
        explain=flag(request, "explain"),
    )
    return JSONResponse(recognition_json(found))


async def compare(request: Request) -> JSONResponse:
    """Returns whether two pictures show the same person."""
    form = await read_form(request)
    compared = await console_of(request).client.compare(
        form.one("first"), form.one("second"), selection=selection_of(form)
    )
    return JSONResponse(
        {
            "outcome": compared.outcome.value.lower(),
            "similarity": compared.similarity,
            "threshold": compared.threshold,
            "first": detected_json(compared.first),
            "second": detected_json(compared.second),
            "false_match_rate": compared.false_match_rate,
            "false_match_rate_bound": compared.false_match_rate_bound,
            "is_extrapolated": compared.is_extrapolated,
            "threshold_source": compared.threshold_source.value.lower(),
            "threshold_false_match_rate": compared.threshold_false_match_rate,
            "are_both_blurred": compared.are_both_blurred,
            "threshold_raise": compared.threshold_raise,
        }
    )
