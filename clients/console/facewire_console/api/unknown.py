"""`/api/unknown`: people whom the gallery does not know, grouped by face: listed, looked at, named, erased."""

import uuid
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facewire import ErrorReason
from facewire_console.api.enrollments import enrolled_response
from facewire_console.api.forms import bad_request, read_json
from facewire_console.api.people import SOURCE
from facewire_console.console import console_of, gallery_of
from facewire_console.errors import Refused
from facewire_console.shapes import unknown_json

__all__ = ["enroll_unknown", "forget_all", "forget_unknown", "list_unknown", "unknown_picture"]

_IDS: Final = range(1, 1 << 53)
"""Ids that the contract allows: whole numbers that JavaScript can hold."""


async def list_unknown(request: Request) -> JSONResponse:
    """Returns all unknown people of the gallery, who were seen last first. The server keeps at most 1,000."""
    people = console_of(request).client.unknown_people(gallery=gallery_of(request))
    found = sorted([each async for each in people], key=lambda each: each.last_seen, reverse=True)
    return JSONResponse({"people": [unknown_json(each) for each in found]})


async def unknown_picture(request: Request) -> Response:
    """Returns a picture of an unknown person; number 1 is the best one."""
    pictures = await console_of(request).client.unknown_pictures(
        _unknown_id(request), gallery=gallery_of(request)
    )
    number = request.path_params["number"]
    if not 1 <= number <= len(pictures):
        raise _not_found("this person has no such picture")
    return Response(pictures[number - 1].image.data, media_type="image/jpeg")


async def enroll_unknown(request: Request) -> JSONResponse:
    """Enrolls an unknown person from all their pictures: a new person, or one whose `identity_id` is given."""
    console, gallery, unknown_id = console_of(request), gallery_of(request), _unknown_id(request)
    content = await read_json(request)
    name, identity_id = content.get("name"), content.get("identity_id") or uuid.uuid4().hex
    if not isinstance(name, str) or not name.strip():
        raise bad_request('the body must be {"name": "..."}', "name")
    if not isinstance(identity_id, str):
        raise bad_request("identity_id must be a text", "identity_id")
    result = await console.client.enroll_unknown(
        unknown_id, identity_id, gallery=gallery, display_name=name.strip(), source=SOURCE
    )
    pictures = [None] * len(result.pictures)
    return await enrolled_response(console, gallery, identity_id, result, pictures)


async def forget_unknown(request: Request) -> Response:
    """Erases an unknown person."""
    await console_of(request).client.forget_unknown(
        _unknown_id(request), gallery=gallery_of(request)
    )
    return Response(status_code=204)


async def forget_all(request: Request) -> JSONResponse:
    """Erases all unknown people of the gallery."""
    count = await console_of(request).client.forget_all_unknown(gallery=gallery_of(request))
    return JSONResponse({"forgotten_count": count})


def _unknown_id(request: Request) -> int:
    """Returns the id in the path; raises Refused if it can be no one's."""
    unknown_id: int = request.path_params["unknown_id"]
    if unknown_id not in _IDS:
        raise _not_found("there is no such unknown person")
    return unknown_id


def _not_found(message: str) -> Refused:
    return Refused(404, ErrorReason.UNKNOWN_PERSON_NOT_FOUND.value, message)
