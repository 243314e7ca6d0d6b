"""`POST /v1/frames/{camera}`: a picture of a camera, for boards without HTTP/2."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from facewire import ErrorReason, FrameStatus
from facewire_console.api.forms import bad_request, read_picture
from facewire_console.console import console_of, gallery_of
from facewire_console.errors import Refused, refusal_status
from facewire_console.shapes import advice_json, event_json, frame_json

__all__ = ["post_frame"]

_MAX_CAMERA_BYTES: Final = 128
"""The contract's limit of a camera's name."""


async def post_frame(request: Request) -> JSONResponse:
    """Returns the result of a camera's picture, with the events since the one before."""
    camera: str = request.path_params["camera"]
    if len(camera.encode()) > _MAX_CAMERA_BYTES:
        raise bad_request(f"a camera has a name of at most {_MAX_CAMERA_BYTES} bytes", "camera")
    picture = await read_picture(request)
    if not picture:
        raise Refused(422, ErrorReason.IMAGE_EMPTY.value, "the body is empty", fields=("image",))
    posted = await console_of(request).cameras.post(camera, gallery_of(request), picture)
    result = posted.result
    if result.status is not FrameStatus.OK:
        reason = result.reason or ErrorReason.UNSPECIFIED
        raise Refused(refusal_status(reason), reason.value, result.detail, fields=("image",))
    return JSONResponse(
        {
            **frame_json(result),
            "events": [event_json(event, name=event.name) for event in posted.events],
            "advice": None if posted.advice is None else advice_json(posted.advice),
        }
    )
