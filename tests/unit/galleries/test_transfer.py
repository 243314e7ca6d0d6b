"""An import is cut into parts that stand alone, and a record at fault ends it."""

from collections.abc import AsyncIterator, Iterable

import numpy as np
import pytest

from facewire_server.errors import InvalidField, OutOfOrder
from facewire_server.galleries import transfer
from facewire_server.galleries.records import (
    ExportedTemplate,
    GalleryRecord,
    IdentityInfo,
    TemplateInfo,
)
from facewire_server.galleries.transfer import checked_parts
from facewire_server.types import Quality

MOST = transfer._PART_RECORDS
MANY = 3 * MOST - 36
UNIT = np.array([1, 0, 0, 0], np.float32)


def person(number: int) -> IdentityInfo:
    return IdentityInfo(f"id-{number}", "", 0, 0)


def template(number: int, embedding: np.ndarray = UNIT, identity_id: str = "id-0"):
    info = TemplateInfo(f"{number:032x}", identity_id, Quality(1, 1, 1), 0.9, 0, "")
    return ExportedTemplate(info, embedding)


async def each(records: Iterable[GalleryRecord]) -> AsyncIterator[GalleryRecord]:
    for record in records:
        yield record


async def parts_of(records: Iterable[GalleryRecord]) -> list[list[GalleryRecord]]:
    return [part async for part in checked_parts(each(records), 4)]


async def test_parts_are_bounded_and_each_begins_with_its_identity() -> None:
    templates = [template(number) for number in range(MANY)]
    parts = await parts_of([person(0), *templates, person(1)])
    assert len(parts) == 3
    assert all(len(part) <= MOST for part in parts)
    assert all(part[0] == person(0) for part in parts)
    assert parts[-1][-1] == person(1)
    assert [one for part in parts for one in part if isinstance(one, ExportedTemplate)] == templates


async def test_an_identity_at_the_start_of_a_part_is_not_repeated() -> None:
    people = [person(number) for number in range(MANY)]
    assert [one for part in await parts_of(people) for one in part] == people


async def test_without_records_there_is_no_part() -> None:
    assert await parts_of([]) == []


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (template(0, identity_id="id-9"), OutOfOrder),
        (template(0, np.ones(3, np.float32)), InvalidField),
        (template(0, 2 * UNIT), InvalidField),
        (
            ExportedTemplate(TemplateInfo("x", "id-0", Quality(1, 1, 1), 0, 0, ""), UNIT),
            InvalidField,
        ),
        (IdentityInfo("", "", 0, 0), InvalidField),
    ],
)
async def test_a_record_at_fault_ends_the_parts(record: GalleryRecord, error: type) -> None:
    with pytest.raises(error):
        await parts_of([person(0), record])


async def test_a_template_without_its_identity_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        await parts_of([template(0)])
