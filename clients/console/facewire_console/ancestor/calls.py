"""The four calls of old cameras, on the gallery of today.

A dispenser of sanitizer reports who used it (`sanitizer_img`), a door asks who enters, and whether they did (`entry_img`).
"""

import asyncio
import json
import logging
import time
from collections import OrderedDict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from facewire import (
    AlreadyExistsError,
    ErrorReason,
    Face,
    FaceSelection,
    Image,
    InvalidRequestError,
    NotFoundError,
)
from facewire_console.ancestor.pixels import NotAPicture, picture_of
from facewire_console.console import console_of, gallery_of
from facewire_console.errors import Refused

__all__ = ["OldCameras"]

_LOG: Final = logging.getLogger("facewire_console")

_CLEAN_S: Final = 100.0
"""Seconds for which a use of the sanitizer counts: those of the system that facewire replaces."""

_MAX_USES: Final = 10_000
"""People whose last use of a sanitizer is remembered. Chosen, not measured: 2 MB."""

_HEADERS: Final = {"Deprecation": "@1795737600", "Link": '</docs>; rel="deprecation"'}
"""Deprecated since 2026-11-27 (RFC 9745)."""


class OldCameras:
    """The calls, and who used a sanitizer lately."""

    def __init__(self) -> None:
        self._uses: OrderedDict[tuple[str, str], float] = OrderedDict()
        # A raw picture takes five times its size while it is decoded: one at a time.
        self._decoding = asyncio.Semaphore(1)
        self._is_noted = False

    async def add_face(self, request: Request) -> JSONResponse:
        """`{"Image", "Shape", "ID"}`: enrolls a picture."""
        fields, picture = await self._read(request)
        name = _name(fields)
        assert picture is not None
        try:
            result = await console_of(request).client.enroll(
                name,
                [picture],
                gallery=gallery_of(request),
                selection=FaceSelection.LARGEST,
                source="sanushost",
            )
        except (InvalidRequestError, AlreadyExistsError):
            return _answer({"Status": "failed"})
        refusal = result.pictures[0].refusal
        if refusal is ErrorReason.NO_FACE:
            return _answer({"Status": "no face"})
        return _answer({"Status": "success" if refusal is None else "failed"})

    async def remove_face(self, request: Request) -> JSONResponse:
        """`{"ID"}`: deletes a person."""
        fields, _ = await self._read(request, with_picture=False)
        name, gallery = _name(fields), gallery_of(request)
        self._uses.pop((gallery, name), None)
        try:
            await console_of(request).delete_identity(name, gallery)
        except (InvalidRequestError, NotFoundError):
            return _answer({"Status": "failed"})
        return _answer({"Status": "success"})

    async def sanitizer_img(self, request: Request) -> JSONResponse:
        """`{"NodeID", "Timestamp", "Image", "Shape"}`: remembers who used a sanitizer."""
        faces = await self._faces(request)
        for face in faces:
            if face.known:
                self._remember(gallery_of(request), face.decision.identity_id)
        return _answer({"Face": 1, "Result": "updated"} if faces else {"Face": 0, "Result": None})

    async def entry_img(self, request: Request) -> JSONResponse:
        """The same JSON: returns who enters, each with 1 if they used a sanitizer lately, else 0."""
        faces = await self._faces(request)
        gallery, now = gallery_of(request), time.monotonic()
        people = [
            [
                face.name,
                int(
                    now - self._uses.get((gallery, face.decision.identity_id), -_CLEAN_S) < _CLEAN_S
                ),
            ]
            for face in faces
            if face.known
        ]
        return _answer({"Face": 1, "Result": people} if faces else {"Face": 0, "Result": None})

    async def _faces(self, request: Request) -> tuple[Face, ...]:
        _, picture = await self._read(request)
        assert picture is not None
        found = await console_of(request).client.recognize(picture, gallery=gallery_of(request))
        return found.faces

    async def _read(
        self, request: Request, *, with_picture: bool = True
    ) -> tuple[dict[str, Any], Image | None]:
        """Returns the fields of the JSON, and the picture in it.

        Raises:
            Refused: it is not such JSON.
        """
        if not self._is_noted:
            self._is_noted = True
            _LOG.warning("an old camera calls /sanushost/: deprecated, see /docs")
        body = await request.body()
        async with self._decoding:
            return await asyncio.to_thread(_decoded, body, with_picture=with_picture)

    def _remember(self, gallery: str, identity_id: str) -> None:
        key = (gallery, identity_id)
        self._uses[key] = time.monotonic()
        self._uses.move_to_end(key)
        while self._uses and (len(self._uses) > _MAX_USES or self._oldest_s() > _CLEAN_S):
            self._uses.popitem(last=False)

    def _oldest_s(self) -> float:
        return time.monotonic() - next(iter(self._uses.values()))


def _decoded(body: bytes, *, with_picture: bool) -> tuple[dict[str, Any], Image | None]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Refused(400, "BAD_REQUEST", "the body must be a JSON object")
    try:
        picture = picture_of(fields.get("Image"), fields.get("Shape")) if with_picture else None
    except NotAPicture as error:
        raise Refused(400, "BAD_REQUEST", str(error), fields=("Image",)) from None
    fields.pop("Image", None)
    return fields, picture


def _name(fields: dict[str, Any]) -> str:
    name = fields.get("ID")
    if not isinstance(name, str) or not name:
        raise Refused(400, "BAD_REQUEST", "ID must be a text", fields=("ID",))
    return name


def _answer(content: dict[str, Any]) -> JSONResponse:
    return JSONResponse(content, headers=_HEADERS)
