"""The paths of the door."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from facewire_console.compreface import collection, recognition
from facewire_console.compreface.deepstack import DeepStack
from facewire_console.compreface.door import Door, Work
from facewire_console.compreface.errors import Code, DoorError, error_response
from facewire_console.compreface.keys import KeyFile, KeyFileError
from facewire_console.settings import Settings, SettingsError

__all__ = ["changes", "routes"]

_ANY_METHOD: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_WORK: Final[tuple[tuple[str, str, Work], ...]] = (
    ("POST", "/recognition/recognize", recognition.recognize),
    ("GET", "/recognition/subjects", collection.list_subjects),
    ("POST", "/recognition/subjects", collection.create_subject),
    ("DELETE", "/recognition/subjects", collection.delete_all_subjects),
    ("PUT", "/recognition/subjects/{subject:path}", collection.rename_subject),
    ("DELETE", "/recognition/subjects/{subject:path}", collection.delete_subject),
    ("GET", "/recognition/faces", collection.list_examples),
    ("POST", "/recognition/faces", collection.add_example),
    ("DELETE", "/recognition/faces", collection.delete_examples),
    ("POST", "/recognition/faces/delete", collection.delete_listed_examples),
    ("DELETE", "/recognition/faces/{image_id}", collection.delete_example),
    ("POST", "/recognition/faces/{image_id}/verify", recognition.verify_example),
    ("GET", "/recognition/faces/{image_id}/img", collection.no_picture),
    ("POST", "/detection/detect", recognition.detect),
    ("POST", "/verification/verify", recognition.verify),
)
"""Method, path below /api/v1, and what is done. CompreFace's clients end some paths with a slash."""


_CHANGES: Final = (
    "/api/v1/recognition/subjects",
    "/api/v1/recognition/faces",
    "/v1/vision/face/register",
    "/v1/vision/face/delete",
)
"""Starts of paths whose requests change a gallery."""


def changes(method: str, path: str) -> bool:
    """Returns whether a request through the door changes a gallery."""
    compares = path.startswith("/api/v1/recognition/faces/") and path.rstrip("/").endswith(
        "/verify"
    )
    return method != "GET" and path.startswith(_CHANGES) and not compares


def routes(settings: Settings) -> list[BaseRoute]:
    """Returns the routes of CompreFace and DeepStack: none if no setting opens the door.

    Raises:
        SettingsError: the file of keys cannot be used.
    """
    if settings.compreface_keys is None and not settings.deepstack_gallery:
        return []
    try:
        keys = None if settings.compreface_keys is None else KeyFile(settings.compreface_keys)
    except KeyFileError as error:
        raise SettingsError(f"compreface_keys cannot be used: {error}") from None
    door = Door(keys, may_delete_all=settings.compreface_delete_all)
    deepstack = DeepStack(door, settings.deepstack_gallery)
    return [
        Mount("/api/v1", routes=[*_compreface(door), _nothing_here()]),
        Mount(
            "/v1/vision",
            routes=[
                Route(path, endpoint, methods=["POST"])
                for path, endpoint in deepstack.endpoints().items()
            ],
        ),
    ]


def _compreface(door: Door) -> list[BaseRoute]:
    return [
        Route(path + slash, door.endpoint(work), methods=[method])
        for slash in (
            "/",
            "",
        )  # first with the slash: "{subject:path}" would take it for a subject named ""
        for method, path, work in _WORK
    ]


def _nothing_here() -> BaseRoute:
    """Returns the route of all other paths, and of pictures by a key in the path, which facewire does not keep."""

    async def endpoint(_: Request) -> Response:
        return error_response(DoorError(Code.OTHER, "There is nothing here"))

    return Route("/{rest:path}", endpoint, methods=_ANY_METHOD)
