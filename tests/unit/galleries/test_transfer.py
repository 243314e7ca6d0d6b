"""Galleries move in parts, and an export is closed whatever happens to its reader."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import numpy as np
import pytest

from facewire_server.errors import OutOfOrder
from facewire_server.galleries.records import (
    ExportedTemplate,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
    TemplateInfo,
)
from facewire_server.galleries.transfer import export_in_parts, import_in_parts
from facewire_server.types import Quality

MANY = 1500


def person(number: int) -> IdentityInfo:
    return IdentityInfo(f"id-{number}", "", 0, 0)


def template(number: int) -> ExportedTemplate:
    info = TemplateInfo(f"{number:032x}", "id-0", Quality(1, 1, 1), 0.9, 0, "")
    return ExportedTemplate(info, np.zeros(4, np.float32))


class Records:
    """An iterator that knows whether it was closed, and by how many was read."""

    def __init__(self) -> None:
        self.read = 0
        self.closed = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def records(self) -> Iterator[GalleryRecord]:
        try:
            for number in range(MANY):
                self.may_go_on.wait()
                self.read += 1
                yield person(number)
        finally:
            self.closed.set()


async def aiter_of(records: Iterable[GalleryRecord]) -> AsyncIterator[GalleryRecord]:
    for record in records:
        yield record


async def test_an_export_is_whole_and_in_order() -> None:
    source = Records()
    with ThreadPoolExecutor(1) as threads:
        async with aclosing(export_in_parts(source.records(), threads)) as parts:
            found = [record async for part in parts for record in part]
    assert found == [person(number) for number in range(MANY)]
    assert source.closed.is_set()


async def test_an_export_does_not_read_ahead_and_is_closed_when_left() -> None:
    source = Records()
    with ThreadPoolExecutor(1) as threads:
        async with aclosing(export_in_parts(source.records(), threads)) as parts:
            await anext(parts)
            assert source.read == 64
    assert source.closed.is_set()
    assert source.read == 64


async def test_an_export_is_closed_when_it_is_cancelled_while_it_reads() -> None:
    source = Records()
    source.may_go_on.clear()

    async def export() -> None:
        async with aclosing(export_in_parts(source.records(), threads)) as parts:
            async for _ in parts:
                raise AssertionError("nothing was read yet")

    with ThreadPoolExecutor(2) as threads:
        reading = asyncio.ensure_future(export())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled()
        source.may_go_on.set()
    assert source.closed.is_set()


async def test_an_import_is_written_in_parts_that_stand_alone() -> None:
    parts: list[list[GalleryRecord]] = []

    async def write(part: Iterable[GalleryRecord]) -> ImportCounts:
        parts.append(list(part))
        return ImportCounts(
            0, sum(isinstance(one, ExportedTemplate) for one in parts[-1]), 0, len(parts)
        )

    templates = [template(number) for number in range(MANY)]
    counts = await import_in_parts(aiter_of([person(0), *templates]), write)
    assert parts[0] == [], "the gallery and the contract are looked at first"
    assert all(part[0] == person(0) for part in parts[1:])
    assert all(len(part) <= 512 for part in parts)
    assert [one for part in parts for one in part if isinstance(one, ExportedTemplate)] == templates
    assert counts == ImportCounts(0, MANY, 0, len(parts))


async def test_a_template_without_its_identity_is_out_of_order() -> None:
    async def write(part: Iterable[GalleryRecord]) -> ImportCounts:
        return ImportCounts(0, 0, 0, 0)

    with pytest.raises(OutOfOrder):
        await import_in_parts(aiter_of([template(0)]), write)
