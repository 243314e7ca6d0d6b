"""Moves whole galleries between threads and calls, in parts of bounded size.

Neither way holds a thread while the client is waited for: each part is one short call in a thread,
and what is not yet asked for is not yet read.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import replace
from itertools import islice

from facewire_server.errors import OutOfOrder
from facewire_server.galleries.records import GalleryRecord, IdentityInfo, ImportCounts

__all__ = ["export_in_parts", "import_in_parts"]

_EXPORT_PART = 64
_IMPORT_PART = 512
"""Records a part. An import's is one commit, so one wait for the disk."""


async def export_in_parts(
    records: Iterator[GalleryRecord], threads: Executor
) -> AsyncGenerator[list[GalleryRecord], None]:
    """Reads the records in a thread, part by part, and closes their iterator at the end.

    Close this generator, too (`contextlib.aclosing`): the iterator holds a read transaction.
    """
    reading: Future[list[GalleryRecord]] | None = None
    try:
        while True:
            reading = threads.submit(_part, records)
            part = await asyncio.wrap_future(reading)
            if not part:
                return
            yield part
    finally:
        threads.submit(_close, records, reading)


def _part(records: Iterator[GalleryRecord]) -> list[GalleryRecord]:
    return list(islice(records, _EXPORT_PART))


def _close(records: Iterator[GalleryRecord], reading: "Future[list[GalleryRecord]] | None") -> None:
    if reading is not None:
        wait([reading])  # a generator that runs cannot be closed
    close = getattr(records, "close", None)
    if close is not None:
        close()


async def import_in_parts(
    records: AsyncIterator[GalleryRecord],
    write: Callable[[Iterable[GalleryRecord]], Awaitable[ImportCounts]],
) -> ImportCounts:
    """Writes the records part by part; what a part wrote stays when a later one fails.

    Raises:
        OutOfOrder: a template that does not follow its identity.
    """
    counts = await write([])  # an unknown gallery or another contract shows before all is read
    identity: IdentityInfo | None = None
    part: list[GalleryRecord] = []
    async for record in records:
        if isinstance(record, IdentityInfo):
            identity = record
        elif identity is None:
            raise OutOfOrder("a template does not follow its identity")
        elif not part:
            part.append(identity)  # it went with the part before; being there, it is left alone
        part.append(record)
        if len(part) >= _IMPORT_PART:
            counts = _sum(counts, await write(part))
            part = []
    return _sum(counts, await write(part)) if part else counts


def _sum(so_far: ImportCounts, part: ImportCounts) -> ImportCounts:
    return replace(
        part,
        identities_added=so_far.identities_added + part.identities_added,
        templates_added=so_far.templates_added + part.templates_added,
        templates_skipped=so_far.templates_skipped + part.templates_skipped,
    )
