"""Old cameras: the calls of the system that facewire replaces, with its JSON and its answers. Deprecated."""

from typing import Final

from starlette.routing import BaseRoute, Route

from facewire_console.ancestor.calls import OldCameras
from facewire_console.ancestor.pixels import MAX_BASE64_BYTES

__all__ = ["MAX_BODY_BYTES", "PREFIX", "routes"]

PREFIX: Final = "/sanushost/api/v1.0/"

MAX_BODY_BYTES: Final = MAX_BASE64_BYTES + (16 << 10)
"""Bytes of a body: the largest picture, and as much as any other JSON beside it."""


def routes() -> list[BaseRoute]:
    """Returns the four calls."""
    cameras = OldCameras()
    return [
        Route(f"{PREFIX}add_face", cameras.add_face, methods=["POST"]),
        Route(f"{PREFIX}remove_face", cameras.remove_face, methods=["POST"]),
        Route(f"{PREFIX}sanitizer_img", cameras.sanitizer_img, methods=["POST"]),
        Route(f"{PREFIX}entry_img", cameras.entry_img, methods=["POST"]),
    ]
