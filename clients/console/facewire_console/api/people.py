"""`/api/identities`: who is enrolled, and the changes to it."""

import uuid
from typing import Final
from unicodedata import normalize

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facewire import ErrorReason, FaceSelection, Identity
from facewire_console.api.enrollments import enrolled_response
from facewire_console.api.forms import Form, bad_request, read_form, read_json, whole_number
from facewire_console.console import console_of, gallery_of
from facewire_console.errors import Refused
from facewire_console.shapes import identity_json, template_json

__all__ = [
    "SOURCE",
    "add_templates",
    "delete_identity",
    "delete_template",
    "enroll",
    "get_identity",
    "list_identities",
    "list_templates",
    "rename",
    "selection_of",
]

_PAGE_SIZE: Final = 100
"""Identities of a page, if the request says nothing: the contract's default."""

_MOST_OF_A_PAGE: Final = 1000
"""The contract's limit."""

SOURCE: Final = "console"
"""Kept with each template: where its picture came from."""

_SELECTIONS: Final = {
    "": FaceSelection.ONLY,
    "only": FaceSelection.ONLY,
    "largest": FaceSelection.LARGEST,
    "most_central": FaceSelection.MOST_CENTRAL,
}


async def list_identities(request: Request) -> JSONResponse:
    """Returns a page of identities, in the order of their ids."""
    client, gallery = console_of(request).client, gallery_of(request)
    page = await client.identity_page(
        gallery=gallery,
        page_size=whole_number(request, "page_size", default=_PAGE_SIZE, most=_MOST_OF_A_PAGE),
        page_token=request.query_params.get("page_token", ""),
    )
    total = (await client.gallery(gallery)).identity_count
    return JSONResponse(
        {
            "identities": [identity_json(each) for each in page.identities],
            "next_page_token": page.next_page_token,
            "total": total,
        }
    )


async def get_identity(request: Request) -> JSONResponse:
    """Returns one identity."""
    return JSONResponse(identity_json(await _identity(request)))


async def enroll(request: Request) -> JSONResponse:
    """Enrolls a new person, or more pictures of one whose `identity_id` is given."""
    form = await read_form(request)
    identity_id = form.texts.get("identity_id") or uuid.uuid4().hex
    return await _enroll(request, form, identity_id, form.required("name"))


async def add_templates(request: Request) -> JSONResponse:
    """Enrolls more pictures of a person who is there."""
    form = await read_form(request)
    return await _enroll(request, form, request.path_params["identity_id"], None)


async def rename(request: Request) -> JSONResponse:
    """Changes a name."""
    name = (await read_json(request)).get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request('the body must be {"name": "..."}', "name")
    identity = await console_of(request).client.rename_identity(
        request.path_params["identity_id"], name.strip(), gallery=gallery_of(request)
    )
    return JSONResponse(identity_json(identity))


async def delete_identity(request: Request) -> Response:
    """Deletes a person with all templates."""
    await console_of(request).delete_identity(
        request.path_params["identity_id"], gallery_of(request)
    )
    return Response(status_code=204)


async def list_templates(request: Request) -> JSONResponse:
    """Returns the templates of a person, oldest first."""
    templates = console_of(request).client.templates(
        request.path_params["identity_id"], gallery=gallery_of(request)
    )
    return JSONResponse({"templates": [template_json(each) async for each in templates]})


async def delete_template(request: Request) -> Response:
    """Deletes one template of the person that the path names."""
    identity_id, template_id = (
        request.path_params[name] for name in ("identity_id", "template_id")
    )
    client, gallery = console_of(request).client, gallery_of(request)
    template = await client.template(template_id, gallery=gallery)
    if normalize("NFC", template.identity_id) != normalize("NFC", identity_id):
        raise Refused(404, ErrorReason.TEMPLATE_NOT_FOUND.value, "this person has no such template")
    await client.delete_template(template_id, gallery=gallery)
    return Response(status_code=204)


def selection_of(form: Form) -> FaceSelection:
    """Returns which face of a picture is meant.

    Raises:
        Refused: there is no such choice.
    """
    selection = _SELECTIONS.get(form.texts.get("selection", "").lower())
    if selection is None:
        raise bad_request("selection must be only, largest or most_central", "selection")
    return selection


async def _identity(request: Request) -> Identity:
    return await console_of(request).client.identity(
        request.path_params["identity_id"], gallery=gallery_of(request)
    )


async def _enroll(request: Request, form: Form, identity_id: str, name: str | None) -> JSONResponse:
    """Enrolls pictures.

    Args:
        request: of which the form is.
        form: with the pictures.
        identity_id: the person.
        name: of a person who is made if need be; None: the person must be there.
    """
    console, gallery = console_of(request), gallery_of(request)
    pictures = form.some("image")
    result = await console.client.enroll(
        identity_id,
        pictures,
        gallery=gallery,
        display_name=(name or "").strip(),
        selection=selection_of(form),
        source=SOURCE,
        create_identity=name is not None,
    )
    return await enrolled_response(console, gallery, identity_id, result, pictures)
