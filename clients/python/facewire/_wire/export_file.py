r"""The file that a gallery is exported to.

    magic     b"facewire-gallery-1\n"
    records   each: its length as a protobuf varint, then a `GalleryRecord`; a header first
    end       a length of 0, then the SHA-256 of everything before it, this 0 included

The end shows that a file was not cut off. Records are the contract's own, so
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
"""Called after each template: how many there were, and how many there will be."""

_MAGIC = b"facewire-gallery-1\n"

_MAX_RECORD_BYTES = 2**20
"""A length above it is damage, found before so much is read. The largest template has 16 KiB."""

_READ_BYTES = 2**20
"""Of one call to the system, as `_WRITE_BYTES`: far above what a call costs. Chosen, not measured."""

_WRITE_BYTES = 2**20

_BATCH_BYTES = 2**18
"""Read by one visit to a thread: some 400 templates of 128 dimensions. Chosen, not measured."""


class ExportFile:
    """A file being written: in place, and whole, only after `finish`.

    `take` and `exported` touch no file, so that a loop may call them; all other methods do. As a
    context manager it opens, and finishes if the block ends well.

    Attributes:
        gallery: the gallery as it was exported; of the header, which comes first.
    """

    def __init__(self, path: str | os.PathLike[str], progress: Progress | None) -> None:
        self.gallery: Gallery | None = None
        self._path = Path(path)
        self._part: Path | None = None
        self._file: BinaryIO | None = None
        self._progress = progress
        self._digest = hashlib.sha256()
        self._waiting = bytearray(_MAGIC)
        self._template_count = 0

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self.discard()

    def open(self) -> None:
        """Makes a private file in the folder of `path`.

        Raises:
            OSError: it cannot be made.
        """
        # Made with mode 0600, in the same folder: so it can take the place of `path` at once.
        descriptor, name = tempfile.mkstemp(
            prefix=f".{self._path.name}.", suffix=".part", dir=self._path.parent
        )
        self._part = Path(name)
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def take(self, record: gallery_pb2.GalleryRecord) -> bool:
        """Takes the next record; returns whether it is time for `write`."""
        data = record.SerializeToString()
        self._waiting += _varint(len(data)) + data
        if record.WhichOneof("record") == "header":
            self.gallery = read_gallery(record.header.gallery)
        elif record.WhichOneof("record") == "template" and self._progress and self.gallery:
            self._template_count += 1
            self._progress(self._template_count, self.gallery.template_count)
        return len(self._waiting) >= _WRITE_BYTES

    def write(self) -> None:
        """Writes what was taken.

        Raises:
            OSError: it cannot be written.
        """
        assert self._file is not None, "opened before"
        self._digest.update(self._waiting)
        with memoryview(self._waiting) as left:
            while left:
                left = left[self._file.write(left) :]
        self._waiting = bytearray()

    def exported(self) -> Gallery:
        """Returns what was exported.

        Raises:
            ServerError: there was no header.
        """
        if self.gallery is None:
            raise ServerError("The server's export has no header.")
        return self.gallery

    def finish(self) -> None:
        """Writes the end, and puts the file in its place.

        Raises:
            OSError: it cannot be written.
        """
        assert self._file is not None, "opened before"
        assert self._part is not None, "opened before"
        self._waiting += b"\0"
        self.write()
        self._waiting += self._digest.digest()
        self.write()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._part, self._path)

    def discard(self) -> None:
        """Closes and removes what is not finished. May be called at any time."""
        if self._file is not None:
            self._file.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)


class ImportRequests:
    """A file as requests, after the whole of it was checked: nothing of a bad file is sent.

    gRPC turns what its requests raise into a status of its own, so the error is kept, for the
    caller who waits for the response.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an export, or was cut off or damaged.
    """

    def __init__(
        self, path: str | os.PathLike[str], gallery: str, progress: Progress | None
    ) -> None:
        for _ in _records(path):
            pass
        self._path = path
        self._gallery = gallery
        self._progress = progress
        self._sent_count = self._total = 0
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[gallery_pb2.ImportGalleryRequest]:
        try:
            for request in self._requests():
                yield request
                self.count(request)
        except GeneratorExit:  # the call ended before the file did
            raise
        except BaseException as error:
            raise self.broken_off(error) from error

    def batches(self) -> Iterator[list[gallery_pb2.ImportGalleryRequest]]:
        """Reads the requests in lists of some bytes, each worth the way to a thread and back."""
        batch: list[gallery_pb2.ImportGalleryRequest] = []
        size_bytes = 0
        for request in self._requests():
            batch.append(request)
            size_bytes += request.ByteSize()
            if size_bytes >= _BATCH_BYTES:
                yield batch
                batch, size_bytes = [], 0
        if batch:
            yield batch

    def count(self, request: gallery_pb2.ImportGalleryRequest) -> None:
        """Counts a request that was sent, and calls the caller's `progress`."""
        kind = request.record.WhichOneof("record")
        if kind == "header":
            self._total = request.record.header.gallery.template_count
        elif kind == "template" and self._progress:
            self._sent_count += 1
            self._progress(self._sent_count, self._total)

    def broken_off(self, error: BaseException) -> RuntimeError:
        """Keeps an error for `check`; returns the one to raise to gRPC.

        On a BaseException that is no Exception gRPC's thread ends, and the call never does: its
        fix of https://github.com/grpc/grpc/issues/8454 is for exceptions only.
        """
        self._error = error
        return RuntimeError("the requests have broken off")

    def check(self) -> None:
        """Raises the error that was kept: one of the file, or of the caller's `progress`."""
        if self._error is not None:
            raise self._error from None

    def _requests(self) -> Iterator[gallery_pb2.ImportGalleryRequest]:
        for record in _records(self._path):
            gallery = self._gallery if record.WhichOneof("record") == "header" else ""
            yield gallery_pb2.ImportGalleryRequest(gallery_id=gallery, record=record)


def _records(path: str | os.PathLike[str]) -> Iterator[gallery_pb2.GalleryRecord]:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=_READ_BYTES) as file:

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
