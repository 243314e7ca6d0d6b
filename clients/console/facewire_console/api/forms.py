"""What a request carries: a picture as its body, a form with pictures, or JSON."""

import json
from typing import Any, Final, NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from facewire_console.console import console_of
from facewire_console.errors import Refused

__all__ = [
    "MAX_PICTURES",
    "Form",
    "bad_request",
    "flag",
    "read_form",
    "read_json",
    "read_picture",
    "whole_number",
]

MAX_PICTURES: Final = 10
"""Pictures of one form: the contract's limit of one enrollment."""

_MAX_TEXTS: Final = 8
"""Fields of a form beside its pictures: more than any call has. Chosen, not measured."""

_MAX_TEXT_BYTES: Final = 4096
"""Bytes of such a field: more than any may have. Chosen, not measured."""

_MAX_JSON_BYTES: Final = 64 << 10
"""Bytes of a JSON body: a split lists up to 1,000 templates of 32 characters each."""


class Form(NamedTuple):
    """A form: name -> texts, and name -> files, in the order in which they came."""

    texts: dict[str, str]
    pictures: dict[str, list[bytes]]

    def required(self, name: str) -> str:
        """Returns a text.

        Raises:
            Refused: it is missing.
        """
        if not self.texts.get(name):
            raise bad_request(f"the form has no field {name}", name)
        return self.texts[name]

    def some(self, name: str) -> list[bytes]:
        """Returns one or more pictures.

        Raises:
            Refused: there are none.
        """
        if not self.pictures.get(name):
            raise bad_request(f"the form has no file {name}", name)
        return self.pictures[name]

    def one(self, name: str) -> bytes:
        """Returns the one picture.

        Raises:
            Refused: there is none, or several.
        """
        pictures = self.some(name)
        if len(pictures) > 1:
            raise bad_request(f"the form has several files {name}", name)
        return pictures[0]


class _InMemory(MultiPartParser):
    """Starlette's parser, which would write pictures above 1 MiB to a file: people's faces belong on no disk."""

    spool_max_size = 1 << 40


async def read_form(request: Request) -> Form:
    """Reads a form (multipart/form-data).

    Raises:
        Refused: it is something else, or has too many parts.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise bad_request("the body must be multipart/form-data")
    parser = _InMemory(
        request.headers,
        request.stream(),
        max_files=MAX_PICTURES,
        max_fields=_MAX_TEXTS,
        max_part_size=_MAX_TEXT_BYTES,
    )
    try:
        parsed = await parser.parse()
    except MultiPartException as error:
        raise bad_request(error.message) from None
    texts: dict[str, str] = {}
    pictures: dict[str, list[bytes]] = {}
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            picture = value.file.read()  # from memory
            value.file.close()
            _check_size(request, len(picture), name)
            pictures.setdefault(name, []).append(picture)
        else:
            texts[name] = value
    return Form(texts, pictures)


async def read_picture(request: Request) -> bytes:
    """Returns the picture of a request: its body, or the file `image` of a form.

    Raises:
        Refused: there is none.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return (await read_form(request)).one("image")
    picture = await request.body()
    _check_size(request, len(picture), "image")
    return picture


async def read_json(request: Request) -> dict[str, Any]:
    """Returns a JSON object.

    Raises:
        Refused: the body is something else.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_JSON_BYTES:
            raise Refused(
                413,
                "BODY_TOO_LARGE",
                f"the body has more than {_MAX_JSON_BYTES} bytes",
                closes=True,
            )
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise bad_request("the body must be a JSON object")
    return value


def whole_number(request: Request, name: str, *, default: int, most: int) -> int:
    """Returns a number of the query, in the range [1, most].

    Raises:
        Refused: it is something else.
    """
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most))):
        text = "0"
    if not 1 <= int(text) <= most:
        raise bad_request(f"{name} must be a whole number between 1 and {most}", name)
    return int(text)


def flag(request: Request, name: str) -> bool:
    """Returns whether the query asks for something: true, or false, which is also the default.

    Raises:
        Refused: it is something else.
    """
    text = request.query_params.get(name, "false")
    if text not in ("true", "false"):
        raise bad_request(f"{name} must be true or false", name)
    return text == "true"


def bad_request(message: str, field: str = "") -> Refused:
    """Returns the refusal of a request that must be changed."""
    return Refused(400, "BAD_REQUEST", message, fields=(field,) if field else ())


def _check_size(request: Request, size_bytes: int, field: str) -> None:
    most = console_of(request).settings.max_image_bytes
    if size_bytes > most:
        raise Refused(
            413, "IMAGE_TOO_MANY_BYTES", f"the picture has more than {most} bytes", fields=(field,)
        )
