"""What a purge has done is in the audit log, whatever becomes of who asked for it."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.access.audit_log import AuditLog
from facewire_server.app.erasing import Erasing
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_storage import switching
from facewire_server.errors import GalleryFull
from facewire_server.events import AuditFailed, Event
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

VECTOR = np.eye(1, 16, dtype=np.float32)
ANYONE = {"who": "anyone", "peer": "ipv4:10.0.0.7:1"}
SERVER = {"who": "server"}


async def with_a_deletion(data: Path) -> LmdbGallery:
    gallery = LmdbGallery(
        data / "gallery", vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=16
    )
    who = NewIdentity("person", create=True)
    await gallery.enroll("default", who, [EnrollmentResult("a" * 32)], VECTOR)
    await gallery.delete_identity("default", "person")
    return gallery


async def test_a_caller_who_is_cancelled_has_the_line(tmp_path: Path) -> None:
    lines: list[Mapping[str, Any]] = []
    begun = threading.Event()

    def append(fields: Mapping[str, Any]) -> None:
        lines.append(fields)
        begun.set()

    with closing(await with_a_deletion(tmp_path)) as gallery:
        erasing = Erasing(gallery, tmp_path, append, lambda event: None)
        call = asyncio.create_task(erasing.at_once(ANYONE["peer"]))
        await asyncio.to_thread(begun.wait, 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert lines == [
            {**ANYONE, "what": "purge_begins"},
            {**ANYONE, "what": "purge", "deletions": 1, "complete": True},
        ]
        assert await erasing.at_once(ANYONE["peer"]) == 0
        assert len(lines) == 2  # nothing was done


async def test_a_purge_that_fails_is_said_to_be_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise GalleryFull("the disk has no room for a second copy of the storage")

    lines: list[Mapping[str, Any]] = []
    with closing(await with_a_deletion(tmp_path)) as gallery:
        erasing = Erasing(gallery, tmp_path, lines.append, lambda event: None)
        monkeypatch.setattr(switching, "copy_file", full)
        with pytest.raises(GalleryFull):
            await erasing.at_once(ANYONE["peer"])
    assert lines == [
        {**ANYONE, "what": "purge_begins"},
        {**ANYONE, "what": "purge", "deletions": 1, "complete": False},
    ]


async def test_what_is_erased_in_time_has_its_lines(tmp_path: Path) -> None:
    lines: list[Mapping[str, Any]] = []
    done = asyncio.Event()
    with closing(await with_a_deletion(tmp_path)) as gallery:
        erasing = Erasing(gallery, tmp_path, lines.append, lambda event: done.set())
        task = asyncio.create_task(erasing.in_time(0.0))
        await asyncio.wait_for(done.wait(), 60)
        task.cancel()
        await asyncio.wait([task])
    assert lines == [
        {**SERVER, "what": "purge_begins"},
        {**SERVER, "what": "purge", "deletions": 1, "complete": True},
    ]


async def test_a_log_that_takes_no_line_keeps_nobody_from_being_erased(tmp_path: Path) -> None:
    def append(fields: Mapping[str, Any]) -> None:
        raise OSError("no space left on device")

    events: list[Event] = []
    with closing(await with_a_deletion(tmp_path)) as gallery:
        erasing = Erasing(gallery, tmp_path, append, events.append)
        assert await erasing.at_once(ANYONE["peer"]) == 1
    assert [type(event) for event in events][:2] == [AuditFailed, AuditFailed]


async def test_the_line_of_the_beginning_is_there_before_anything_is_changed(
    tmp_path: Path,
) -> None:
    """So that it is if the process is stopped at any later moment."""
    log = AuditLog(tmp_path / "audit")
    found: list[bool] = []

    def append(fields: Mapping[str, Any]) -> None:
        log.append(fields)
        found.append((tmp_path / "gallery" / "data.2.mdb").exists())

    with closing(await with_a_deletion(tmp_path)) as gallery:
        await Erasing(gallery, tmp_path, append, lambda event: None).at_once("")
    assert found == [False, True]
