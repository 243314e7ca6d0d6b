r"""The file that a gallery is exported to.

    magic     b"facewire-gallery-1\n"
    records   each: its length as a protobuf varint, then a `GalleryRecord`; a header first
    end       a length of 0, then the SHA-256 of everything before it, this 0 included

The end shows that a file was not cut off. Records are the contract's own, so
that a file outlives this program; only a new layout would need another magic.
The file holds biometric data: only its owner may read it (mode 0600).
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from google.protobuf.message import DecodeError

from facewire.v1 import gallery_pb2

__all__ = ["END", "MAGIC", "Progress", "framed", "records"]

Progress = Callable[[int, int], None]
"""Called after each template: how many there were, and how many there will be."""

MAGIC = b"facewire-gallery-1\n"
END = b"\0"
"""A length of 0, before the digest."""

_MAX_RECORD_BYTES = 2**20
"""A greater length is damage, and is found before memory is allocated for it. The largest template has 16 KiB."""

_READ_BYTES = 2**20
"""Bytes of one read: enough that the cost of the call does not matter. Chosen, not measured."""


def framed(record: gallery_pb2.GalleryRecord) -> bytes:
    """Returns a record as it is in the file, with its length before it."""
    data = record.SerializeToString()
    return _varint(len(data)) + data


def records(path: str | os.PathLike[str]) -> Iterator[gallery_pb2.GalleryRecord]:
    """Reads a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not an export, or was cut off or damaged.
    """
    digest = hashlib.sha256()
    with open(path, "rb", buffering=_READ_BYTES) as file:

        def read(size: int) -> bytes:
            data = file.read(size)
            if len(data) < size:
                raise ValueError(f"{path}: the file was cut off. Export the gallery again.")
            digest.update(data)
            return data

        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{path}: no gallery was exported to this file.")
        digest.update(MAGIC)
        while size := _read_varint(read):
            if size > _MAX_RECORD_BYTES:
                raise _damaged(path)
            data = read(size)
            try:
                yield gallery_pb2.GalleryRecord.FromString(data)
            except DecodeError:
                raise _damaged(path) from None
        _check_end(file, digest.digest(), path)


def _check_end(file: BinaryIO, expected: bytes, path: str | os.PathLike[str]) -> None:
    if file.read(len(expected) + 1) != expected:
        raise _damaged(path)


def _damaged(path: str | os.PathLike[str]) -> ValueError:
    return ValueError(f"{path}: the file is damaged. Export the gallery again.")


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varint(read: Callable[[int], bytes]) -> int:
    value = shift = 0
    while True:
        (byte,) = read(1)
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 28:
            return value
