"""Writes the file that a gallery is exported to."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from facewire._values.errors import ServerError
from facewire._values.galleries import Gallery
from facewire._wire.gallery_file import END, MAGIC, Progress, framed
from facewire._wire.read_galleries import read_gallery
from facewire.v1 import gallery_pb2

__all__ = ["ExportFile"]

_WRITE_BYTES = 2**20
"""Bytes of one write, for which `AsyncClient` enters a thread once. Chosen, not measured."""


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
        self._waiting = bytearray(MAGIC)
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
        """Buffers the next record; returns whether `write` is due."""
        self._waiting += framed(record)
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
        with self._named(), memoryview(self._waiting) as left:
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
        """Writes the end, and puts the file in its place; it is on the disk then.

        Raises:
            OSError: it cannot be written; or it is in its place, and may not be there any more after a power cut.
        """
        assert self._file is not None, "opened before"
        assert self._part is not None, "opened before"
        self._waiting += END
        self.write()
        self._waiting += self._digest.digest()
        self.write()
        with self._named():
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._part, self._path)
            _sync_names(self._path.parent)

    def discard(self) -> None:
        """Closes and removes what is not finished. May be called at any time."""
        if self._file is not None:
            self._file.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Names the file in an error of the system that names none."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error


def _sync_names(folder: Path) -> None:
    """Returns when the names in a folder are on the disk."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
