"""An import that is cancelled while a part of it is being committed."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, transfer
from facewire_server.galleries.records import GalleryRecord, IdentityInfo, ImportCounts
from facewire_server.galleries.transfer import _PART_RECORDS

CONTRACT = "c" * 64


async def test_a_part_that_is_being_committed_stays_and_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = threading.Event(), threading.Event()
    add = transfer._add

    def held(*arguments: object) -> ImportCounts:
        begun.set()
        assert release.wait(60)
        return add(*arguments)  # type: ignore[arg-type]

    async def records() -> AsyncIterator[GalleryRecord]:
        for number in range(3 * _PART_RECORDS):
            yield IdentityInfo(f"p{number}", "", 0, 0)

    monkeypatch.setattr(transfer, "_add", held)
    gallery = LmdbGallery(
        tmp_path, vector_search=ExactSearch(), model_contract_id=CONTRACT, dimension=4
    )
    parts: list[ImportCounts] = []
    importing = asyncio.create_task(
        gallery.import_records("default", CONTRACT, records(), committed=parts.append)
    )
    await asyncio.to_thread(begun.wait)
    importing.cancel()
    await asyncio.sleep(0)
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await importing
    left = (await gallery.get_gallery("default")).identity_count
    gallery.close()
    assert [counts.identities_added for counts in parts] == [_PART_RECORDS] == [left]
