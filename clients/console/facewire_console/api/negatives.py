"""`/api/identities/{identity_id}/negative-examples`: faces that were taken for a person and are not this person."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facewire import ErrorReason
from facewire_console.api.forms import read_form
from facewire_console.api.people import SOURCE, selection_of
from facewire_console.console import console_of, gallery_of
from facewire_console.errors import Refused
from facewire_console.face_shapes import box_json
from facewire_console.shapes import negative_example_json

__all__ = ["add_negative_example", "delete_negative_example", "list_negative_examples"]


async def list_negative_examples(request: Request) -> JSONResponse:
    """Returns the negative examples of a person, oldest first: at most 100."""
    examples = console_of(request).client.negative_examples(
        request.path_params["identity_id"], gallery=gallery_of(request)
    )
    listed = [negative_example_json(each) async for each in examples]
    return JSONResponse({"negative_examples": listed})


async def add_negative_example(request: Request) -> JSONResponse:
    """Says that the face in a picture is not this person."""
    form = await read_form(request)
    added = await console_of(request).client.add_negative_example(
        request.path_params["identity_id"],
        form.one("image"),
        gallery=gallery_of(request),
        selection=selection_of(form),
        source=SOURCE,
    )
    return JSONResponse(
        {
            "negative_example": negative_example_json(added.example),
            "box": box_json(added.box),
            "similarity": added.similarity,
            "threshold": added.threshold,
        },
        status_code=201,
    )


async def delete_negative_example(request: Request) -> Response:
    """Takes back a negative example of the person that the path names."""
    identity_id, example_id = (
        request.path_params[name] for name in ("identity_id", "negative_example_id")
    )
    client, gallery = console_of(request).client, gallery_of(request)
    own = [
        each.negative_example_id
        async for each in client.negative_examples(identity_id, gallery=gallery)
    ]
    if example_id not in own:
        reason = ErrorReason.NEGATIVE_EXAMPLE_NOT_FOUND.value
        raise Refused(404, reason, "this person has no such negative example")
    await client.delete_negative_example(example_id, gallery=gallery)
    return Response(status_code=204)
