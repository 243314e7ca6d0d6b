r"""The file that a gallery is exported to.

    magic     b"facewire-gallery-1\n"
    records   each: its length as a protobuf varint, then a `GalleryRecord`; a header first
    end       a length of 0, then the SHA-256 of everything before it, this 0 included

The end tells a whole file from one that was cut off. Records are the contract's own, so
that a file outlives this program; only a new layout would need another magic.
What is in it is biometric data: only its owner may read the file (mode 0600).
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

from google.protobuf.message import DecodeError

from facewire._values.errors import ServerError
from facewire._values.galleries import Gallery
from facewire._wire.read_galleries import read_gallery
from facewire.v1 import gallery_pb2

__all__ = ["ExportFile", "ImportRequests", "Progress"]

Progress = Callable[[int, int], None]
"""Told after each template: how many there were, and how many there will be."""

_MAGIC = b"facewire-gallery-1\n"
_MAX_RECORD_BYTES = 2**20
_BUFFER_BYTES = 2**20


class ExportFile:
    """A file being written: in place, and whole, only when the `with` block ends well.

    Attributes:
        gallery: the gallery as it was exported; of the header, which comes first.
    """

    def __init__(self, path: str | os.PathLike[str], progress: Progress | None) -> None:
        self.gallery: Gallery | None = None
        self._path = Path(path)
        self._progress = progress
        self._digest = hashlib.sha256()
        self._template_count = 0

    def __enter__(self) -> Self:
        # Made with mode 0600, in the same folder: so it can take the place of `path` at once.
        descriptor, name = tempfile.mkstemp(
            prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent
        )
        self._part = Path(name)
        self._file = open(descriptor, "wb", buffering=_BUFFER_BYTES)
        self._write(_MAGIC)
        return self

    def take(self, record: gallery_pb2.GalleryRecord) -> None:
        """Writes the next record."""
        data = record.SerializeToString()
        self._write(_varint(len(data)) + data)
        if record.WhichOneof("record") == "header":
            self.gallery = read_gallery(record.header.gallery)
        elif record.WhichOneof("record") == "template" and self._progress and self.gallery:
            self._template_count += 1
            self._progress(self._template_count, self.gallery.template_count)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with self._file:
                if kind is None:
                    self._write(b"\0")
                    self._file.write(self._digest.digest())
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if kind is None:
                os.replace(self._part, self._path)
        finally:
            self._part.unlink(missing_ok=True)

    def exported(self) -> Gallery:
        """What was exported.

        Raises:
            ServerError: there was no header.
        """
        if self.gallery is None:
            raise ServerError("The server's export has no header.")
        return self.gallery

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


class ImportRequests:
    """A file as requests, after the whole of it was checked: nothing of a bad file is sent.

    gRPC draws them where it likes and makes a status of what they raise, so that is kept,
    for whoever waits for the answer.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no export, or was cut off or damaged.
    """

    def __init__(
        self, path: str | os.PathLike[str], gallery: str, progress: Progress | None
    ) -> None:
        for _ in _records(path):
            pass
        self._path = path
        self._gallery = gallery
        self._progress = progress
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[gallery_pb2.ImportGalleryRequest]:
        try:
            yield from self._requests()
        except GeneratorExit:  # the call ended before the file did
            raise
        except BaseException as error:
            self._error = error
            # Of another kind gRPC would not take notice, and its call never end.
            raise RuntimeError("the requests have broken off") from error

    def check(self) -> None:
        """Raises what drawing them raised: an error of the file, or the caller's `progress`'s own."""
        if self._error is not None:
            raise self._error from None

    def _requests(self) -> Iterator[gallery_pb2.ImportGalleryRequest]:
        done = total = 0
        for record in _records(self._path):
            kind = record.WhichOneof("record")
            gallery = self._gallery if kind == "header" else ""
            yield gallery_pb2.ImportGalleryRequest(gallery_id=gallery, record=record)
            if kind == "header":
                total = record.header.gallery.template_count
            elif kind == "template" and self._progress:
                done += 1
                self._progress(done, total)


def _records(path: str | os.PathLike[str]) -> Iterator[gallery_pb2.GalleryRecord]:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=_BUFFER_BYTES) as file:

        def read(size: int) -> bytes:
            data = file.read(size)
            if len(data) < size:
                raise ValueError(f"{path}: the file was cut off. Export the gallery again.")
            digest.update(data)
            return data

        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{path}: no gallery was exported to this file.")
        digest.update(_MAGIC)
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
