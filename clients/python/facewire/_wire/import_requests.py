"""Turns the file of an exported gallery into the requests of an import."""

import os
from collections.abc import Callable, Iterator

from facewire._wire.gallery_file import Progress, records
from facewire.v1 import gallery_pb2

__all__ = ["ImportRequests"]

_BATCH_BYTES = 2**18
"""Bytes read each time that `AsyncClient` enters a thread: some 400 templates of 128 dimensions. Chosen, not
measured."""


class ImportRequests:
    """A file as requests, after the whole of it was checked: nothing of a bad file is sent.

    gRPC converts an error that the iterator of requests raises to a status, so the error is kept
    for the caller, who waits for the response.

    Args:
        path: the file.
        gallery: the gallery to add to.
        progress: the caller's, called after each template.
        is_closed: whether to leave off the check, which takes seconds for large files: the client was closed meanwhile.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not an export, or was cut off or damaged; or the client is closed.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        gallery: str,
        progress: Progress | None,
        *,
        is_closed: Callable[[], bool],
    ) -> None:
        for _ in records(path):
            if is_closed():
                raise ValueError("this client is closed")
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
        """Reads the requests in lists of about `_BATCH_BYTES`, each large enough to be worth entering a thread."""
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

        On a BaseException that is not an Exception, gRPC's thread ends and the call never does: the
        fix of https://github.com/grpc/grpc/issues/8454 is for exceptions only.
        """
        self._error = error
        return RuntimeError("the requests have broken off")

    def check(self) -> None:
        """Raises the error that was kept: one of the file, or of the caller's `progress`."""
        if self._error is not None:
            raise self._error from None

    def _requests(self) -> Iterator[gallery_pb2.ImportGalleryRequest]:
        for record in records(self._path):
            gallery = self._gallery if record.WhichOneof("record") == "header" else ""
            yield gallery_pb2.ImportGalleryRequest(gallery_id=gallery, record=record)
