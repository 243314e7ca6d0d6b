"""`GET /api/status`: the server, what this console may do there, and the limits; `GET /api/metrics`: its workers and models."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from facewire import FacewireError, ServerInfo
from facewire_console import __version__
from facewire_console.console import Console, console_of, gallery_of
from facewire_console.errors import error_json
from facewire_console.metrics import MetricsError
from facewire_console.shapes import gallery_json

__all__ = ["metrics", "status"]

JSON = dict[str, Any]

_NOTHING: JSON = {
    "error": None,
    "version": None,
    "serving": {"server": False, "recognition": False, "galleries": False},
    "model_contract_id": None,
    "model_contract_name": None,
    "features": [],
}


async def status(request: Request) -> JSONResponse:
    """Returns 200 also if the server is away: the page shows what is known."""
    console = console_of(request)
    gallery = gallery_of(request)
    found: JSON = {
        "console": {"version": __version__},
        "server": {"address": console.settings.server, "reachable": False, **_NOTHING},
        "gallery_id": gallery,
        "galleries": [],
        "may": {},
        "missing": {},
        "limits": None,
        "login": {"required": request.app.state.sessions.needed, "logged_in": True},
    }
    try:
        await _ask(console, gallery, found)
    except FacewireError as error:
        found["server"]["error"] = error_json(error)
    return JSONResponse(found)


async def metrics(request: Request) -> JSONResponse:
    """Returns 200 also if the metrics cannot be read, or no setting says where they are: the page says so."""
    try:
        found, problem = await console_of(request).metrics.found(), None
    except MetricsError as error:
        found, problem = None, str(error)
    return JSONResponse({"metrics": found, "problem": problem})


async def _ask(console: Console, gallery: str, found: JSON) -> None:
    client = console.client
    info = await client.server_info()
    found["server"] |= _server(info)
    found["limits"] = _limits(info, console.settings.max_image_bytes)
    health = await client.health()
    found["server"]["serving"] = {
        "server": health.server,
        "recognition": health.recognition,
        "galleries": health.galleries,
    }
    permitted = await console.permissions.of(gallery)
    found["may"], found["missing"] = permitted.may, permitted.missing
    if permitted.may["read_people"]:
        found["galleries"] = [gallery_json(each) async for each in client.galleries()]


def _server(info: ServerInfo) -> JSON:
    return {
        "reachable": True,
        "version": info.server_version,
        "model_contract_id": info.model_contract_id,
        "model_contract_name": info.model_contract_name,
        "features": [feature.value for feature in info.features],
    }


def _limits(info: ServerInfo, max_image_bytes: int) -> JSON:
    limits = info.limits
    return {
        "max_image_bytes": min(limits.max_frame_bytes, max_image_bytes),
        "max_pixels": limits.max_pixels,
        "max_stream_pixels": limits.max_stream_pixels,
        "max_in_flight": limits.max_in_flight,
        "max_faces": limits.max_faces,
        "max_enroll_images": limits.max_enroll_images,
    }
