"""How many pictures become calls that the server takes: chunks of a bounded size."""

import os
from collections.abc import Iterable, Iterator
from typing import cast

from facewire._pictures import Array, Image, Picture, to_wire
from facewire.v1 import face_pb2

__all__ = ["chunks", "halves", "several"]

_CHUNK_PICTURES = 10
_CHUNK_BYTES = 16 * 2**20


def several(pictures: Picture | Iterable[Picture]) -> Iterable[Picture]:
    """The pictures, also where one was given: a path and an array are iterable, too."""
    if isinstance(pictures, Image | bytes | bytearray | memoryview | str | os.PathLike):
        return (pictures,)
    if hasattr(pictures, "__array_interface__"):
        return (cast(Array, pictures),)
    return pictures


def chunks(pictures: Iterable[Picture]) -> Iterator[list[face_pb2.Image]]:
    """Groups pictures into what one EnrollTemplates call may carry, reading them lazily.

    At most ten pictures, and at most the server's default of 16 MiB together; a
    larger picture goes alone. A server with a lower limit says so, see `halves`.

    Raises:
        OSError, ValueError, TypeError: a picture cannot be read (`to_wire`).
    """
    chunk: list[face_pb2.Image] = []
    size_bytes = 0
    for picture in pictures:
        image = to_wire(picture)
        size_bytes += len(image.data)
        if chunk and (len(chunk) == _CHUNK_PICTURES or size_bytes > _CHUNK_BYTES):
            yield chunk
            chunk, size_bytes = [], len(image.data)
        chunk.append(image)
    if chunk:
        yield chunk


def halves(chunk: list[face_pb2.Image]) -> tuple[list[face_pb2.Image], list[face_pb2.Image]]:
    """Cuts a chunk of two or more in two."""
    middle = len(chunk) // 2
    return chunk[:middle], chunk[middle:]
