"""A purge returns when nothing that was deleted before is in any file, and what is pending is counted until then."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, erasure
from facewire_server.backends.lmdb_storage.erasing import NotErased
from facewire_server.errors import StorageBusy
from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.records import (
    EnrollmentResult,
    NewIdentity,
    NewNegativeExample,
)
from facewire_server.types import Quality

VECTOR = np.eye(1, 16, dtype=np.float32)


def opened(folder: Path) -> LmdbGallery:
    return LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=16
    )


async def with_people(gallery: LmdbGallery, count: int) -> None:
    for number in range(count):
        who = NewIdentity(f"person-{number}", create=True)
        await gallery.enroll("default", who, [EnrollmentResult(f"{number:032x}")], VECTOR)


async def pending(gallery: LmdbGallery) -> int:
    return (await gallery.get_gallery("default")).pending_purge_count


@contextmanager
def used(file: Path) -> Iterator[None]:
    """Holds the file as a process does that uses it."""
    opened = os.open(file, os.O_RDWR)
    try:
        fcntl.flock(opened, fcntl.LOCK_SH)
        yield
    finally:
        os.close(opened)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "mdb" in path.name)


async def test_a_purge_erases_what_was_deleted_and_a_second_one_does_nothing(
    tmp_path: Path,
) -> None:
    with closing(opened(tmp_path)) as gallery:
        await with_people(gallery, 3)
        assert await gallery.purge() == 0
        assert "data.2.mdb" not in files(tmp_path)
        await gallery.delete_identity("default", "person-1")
        await gallery.create_gallery("staff", "")
        await gallery.delete_gallery("staff")
        assert await gallery.purge() == 2
        assert await pending(gallery) == 0
        assert (tmp_path / "data.2.mdb").exists()
        assert await gallery.purge() == 0
        assert "data.3.mdb" not in files(tmp_path)
        found = await gallery.list_identities("default", "", 9)
        assert [one.identity_id for one in found] == ["person-0", "person-2"]


async def test_a_purge_erases_negative_examples_that_were_deleted_alone_or_with_their_person(
    tmp_path: Path,
) -> None:
    faces = np.random.default_rng(3).standard_normal((3, 16)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    with closing(opened(tmp_path)) as gallery:
        await with_people(gallery, 2)
        for number, (who, face) in enumerate(zip("001", faces, strict=True)):
            example = NewNegativeExample(
                f"{number:032x}", f"person-{who}", Quality(40, 50, 100), 0.9, (1, 2, 3, 4), "door"
            )
            await gallery.add_negative_example("default", example, face)
        await gallery.delete_negative_example("default", f"{0:032x}")
        await gallery.delete_identity("default", "person-1")
        assert await pending(gallery) == 2
        assert await gallery.purge() == 2
    held = b"".join((tmp_path / name).read_bytes() for name in files(tmp_path))
    assert [face.tobytes() in held for face in faces] == [False, True, False]


async def test_what_is_deleted_is_pending_until_no_process_uses_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure.purge, "__defaults__", (0.0,))
    with closing(opened(tmp_path)) as gallery:
        await with_people(gallery, 3)
        await gallery.delete_identity("default", "person-1")
        with used(tmp_path / "data.mdb"):
            with pytest.raises(StorageBusy, match="a process still uses the old file"):
                await gallery.purge()
            assert await gallery.tidy() is None  # nothing is in the new file
            assert await pending(gallery) == 1
            await gallery.delete_identity("default", "person-2")
            assert await pending(gallery) == 2
        await gallery.tidy()
        assert await pending(gallery) == 1  # in the new file
        assert await gallery.purge() == 1
        assert await pending(gallery) == 0
        assert "data.2.mdb" not in files(tmp_path)


async def test_a_second_purge_only_waits_for_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure.purge, "__defaults__", (0.0,))
    with closing(opened(tmp_path)) as gallery:
        await with_people(gallery, 2)
        await gallery.delete_identity("default", "person-1")
        with used(tmp_path / "data.mdb"):
            for _ in range(2):
                with pytest.raises(StorageBusy, match="a process still uses the old file"):
                    await gallery.purge()
        assert await gallery.purge() == 1
        assert "data.3.mdb" not in files(tmp_path)


async def test_a_purge_is_refused_while_another_process_rewrites_the_storage(
    tmp_path: Path,
) -> None:
    with closing(opened(tmp_path)) as gallery:
        await with_people(gallery, 2)
        await gallery.delete_identity("default", "person-1")
        (tmp_path / "switch.lock").touch()
        lock = os.open(tmp_path / "switch.lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(StorageBusy, match="another process rewrites the storage"):
                await gallery.purge()
        finally:
            os.close(lock)
        assert await pending(gallery) == 1
        assert await gallery.purge() == 1


async def test_what_cannot_be_overwritten_is_pending_until_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: bytes, at: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with closing(opened(tmp_path)) as gallery:
        await with_people(gallery, 2)
        await gallery.delete_identity("default", "person-1")
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            for _ in range(2):
                with pytest.raises(NotErased, match="cannot be erased now"):
                    await gallery.purge()
                assert await pending(gallery) == 1
        assert await gallery.purge() == 1
        assert await pending(gallery) == 0
        assert "data.3.mdb" not in files(tmp_path)


async def test_a_mean_with_a_deleted_template_is_in_no_file_after_a_purge(tmp_path: Path) -> None:
    rows = np.abs(np.random.default_rng(2).standard_normal((3, 16))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    before, after = (fuse(one)[0].mean.tobytes() for one in (rows, rows[1:]))

    def held(mean: bytes) -> bool:
        return any(mean in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

    with closing(opened(tmp_path)) as gallery:
        results = [EnrollmentResult(f"{number:032x}") for number in range(3)]
        await gallery.enroll("default", NewIdentity("person", create=True), results, rows)
        assert held(before)
        await gallery.delete_template("default", f"{0:032x}")
        await gallery.purge()
        assert not held(before)
        assert held(after)
        await gallery.delete_identity("default", "person")
        await gallery.purge()
        assert not held(after)
