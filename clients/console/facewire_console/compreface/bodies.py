"""The pictures of a request, from a form's parts or from base64 in JSON, bounded before they are kept.

Nothing of a picture is written to disk.
"""

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from facewire_console.compreface.errors import Code, DoorError

__all__ = ["MAX_PICTURE_BYTES", "Form", "read_form", "read_json", "read_pictures"]

MAX_PICTURE_BYTES: Final = 5 << 20
"""Bytes of a picture: CompreFace's limit."""

_MAX_OTHER_BYTES: Final = 64 << 10
"""Bytes of a request besides its pictures: names of parts, headers, and small values. Chosen, not measured."""

_MAX_FIELDS: Final = 16
"""Parts of a form that are no files. Chosen, not measured: DeepStack's clients send three."""


class _InMemory(MultiPartParser):
    """Keeps files in memory, however large: the whole request is bounded."""

    spool_max_size = 1 << 30


class Form:
    """The parts of a form.

    Attributes:
        values: of the parts that are text.
        files: the bytes of those that are files, by name; of several of one name, the first.
    """

    def __init__(self, values: Mapping[str, str], files: Mapping[str, bytes]) -> None:
        self.values = values
        self.files = files


async def read_pictures(request: Request, *names: str) -> list[bytes]:
    """Returns the pictures of these names: parts of a form, or base64 in a JSON object.

    Raises:
        DoorError: one is missing, is empty, has too many bytes or is not base64, or the body is neither.
    """
    if _media_type(request) == "application/json":
        body = await read_json(request, pictures=len(names))
        texts = body if isinstance(body, dict) else {}
        return [_decoded(texts.get(name), name) for name in names]
    files = (await read_form(request, pictures=len(names))).files
    return [_checked(files.get(name), name) for name in names]


async def read_form(request: Request, *, pictures: int) -> Form:
    """Reads a form of at most `pictures` pictures, and small values.

    Raises:
        DoorError: the body is no form, or has too many bytes or parts.
    """
    if _media_type(request) != "multipart/form-data":
        raise DoorError(Code.INVALID, "The body must be multipart/form-data or application/json")
    most = pictures * MAX_PICTURE_BYTES + _MAX_OTHER_BYTES
    parser = _InMemory(
        request.headers,
        _bounded(request, most),
        max_files=pictures,
        max_fields=_MAX_FIELDS,
        max_part_size=_MAX_OTHER_BYTES,
    )
    try:
        parts = await parser.parse()
    except MultiPartException as error:
        raise DoorError(Code.INVALID, error.message) from None
    values: dict[str, str] = {}
    files: dict[str, bytes] = {}
    try:
        for name, part in parts.multi_items():
            if isinstance(part, UploadFile):
                files.setdefault(name, await part.read())
            else:
                values.setdefault(name, part)
    finally:
        await parts.close()
    return Form(values, files)


async def read_json(request: Request, *, pictures: int = 0) -> Any:
    """Reads a JSON body of at most `pictures` pictures as base64.

    Raises:
        DoorError: it is not JSON, or has too many bytes.
    """
    most = pictures * -(-MAX_PICTURE_BYTES // 3) * 4 + _MAX_OTHER_BYTES
    body = b"".join([chunk async for chunk in _bounded(request, most)])
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise DoorError(Code.INVALID, "The body is not JSON") from None


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    left = most
    async for chunk in request.stream():
        left -= len(chunk)
        if left < 0:
            raise _too_large(closes=True)
        yield chunk


def _decoded(text: Any, name: str) -> bytes:
    if not isinstance(text, str):
        raise DoorError(Code.MISSING, f"Required part '{name}' is missing")
    if text.startswith("data:"):  # data:image/jpeg;base64,...
        text = text.partition(",")[2]
    try:
        return _checked(base64.b64decode("".join(text.split()), validate=True), name)
    except (binascii.Error, ValueError):
        raise DoorError(Code.INVALID, f"'{name}' is not base64") from None


def _checked(picture: bytes | None, name: str) -> bytes:
    if not picture:
        raise DoorError(Code.MISSING, f"Required part '{name}' is missing or empty")
    if len(picture) > MAX_PICTURE_BYTES:
        raise _too_large()
    return picture


def _too_large(*, closes: bool = False) -> DoorError:
    return DoorError(Code.INVALID, "A picture has at most 5 MB", closes=closes)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
