"""`/api/events`: who was seen, as a list and as a stream (Server-Sent Events), and the best picture of a track."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from facewire_console.api.forms import whole_number
from facewire_console.console import console_of, gallery_of
from facewire_console.errors import Refused
from facewire_console.following import Following
from facewire_console.shapes import event_json

__all__ = ["event_stream", "latest_events", "track_crop"]

_LIMIT: Final = 100
"""Events of a list, if the request says nothing. Chosen, not measured."""

_MOST: Final = 1000
"""Events of a list. Chosen, not measured."""

_PAUSE_S: Final = 15.0
"""Seconds without an event after which a comment shows that the connection lives (HTML standard, section 9.2.7)."""


async def latest_events(request: Request) -> JSONResponse:
    """Returns the latest events, newest first."""
    sightings = console_of(request).sightings
    events = await sightings.latest(
        gallery_of(request),
        request.query_params.get("camera"),
        whole_number(request, "limit", default=_LIMIT, most=_MOST),
    )
    return JSONResponse({"events": events, "complete": sightings.is_watching})


async def event_stream(request: Request) -> StreamingResponse:
    """Streams events from now on."""
    following = console_of(request).sightings.follow(
        gallery_of(request), request.query_params.get("camera")
    )
    return StreamingResponse(_lines(following), media_type="text/event-stream")


async def track_crop(request: Request) -> Response:
    """Returns the best picture of a track's face."""
    track_id = request.path_params["track_id"]
    if not 1 <= track_id < 1 << 53:
        raise Refused(404, "TRACK_NOT_FOUND", "there is no such track")
    crop = await console_of(request).client.track_crop(track_id)
    return Response(crop.image.data, media_type="image/jpeg")


async def _lines(following: Following) -> AsyncIterator[str]:
    with following:
        yield ": open\n\n"
        while True:
            try:
                event = await asyncio.wait_for(following.next(), _PAUSE_S)
            except TimeoutError:
                yield ": \n\n"
                continue
            if event is None:  # it has left too many unread
                return
            shown = json.dumps(event_json(event, name=event.name))
            yield f"id: {event.event_id}\ndata: {shown}\n\n"
