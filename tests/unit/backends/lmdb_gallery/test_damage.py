"""A storage that holds something that cannot be gives no name: each kind of damage is found and called what it is."""

import errno
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import lmdb
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import (
    LmdbGallery,
    block_checks,
    damaged_galleries,
    storage_check,
)
from facewire_server.backends.lmdb_gallery.backups import back_up
from facewire_server.backends.lmdb_gallery.block_checks import sign
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.records_pb2 import Gallery, Identity, Template
from facewire_server.backends.lmdb_gallery.soundness import faulty_galleries
from facewire_server.errors import GalleryDamaged, StorageDamaged
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

DIMENSION = 16
CONTRACT = "c" * 64
PEOPLE = 5
GENERATOR = np.random.default_rng(5)
VECTORS = GENERATOR.standard_normal((PEOPLE, DIMENSION)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
ROW = VECTORS[2].tobytes()
PREFIX = b"default\0"
IDENTITY_2 = struct.pack(">Q", 7)
"""The number of the third identity, as a key: each identity, template and remembered enrollment takes a number."""
TEMPLATE_2 = struct.pack(">QQ", 7, 8)

Edit = Callable[[bytes], bytes | None]


def opened(path: Path, damaged: tuple[str, ...] = ()) -> LmdbGallery:
    return LmdbGallery(
        path,
        vector_search=ExactSearch(),
        model_contract_id=CONTRACT,
        dimension=DIMENSION,
        damaged_galleries=damaged,
    )


async def filled(path: Path) -> None:
    gallery = opened(path)
    await gallery.create_gallery("other", "")
    for gallery_id in ("default", "other"):
        for number, vector in enumerate(VECTORS):
            await gallery.enroll(
                gallery_id,
                NewIdentity(f"{number}", create=True),
                [EnrollmentResult(f"{number:032x}")],
                vector[None],
                request_id=f"{number}",
                fingerprint=b"f",
            )
    gallery.close()


def signed(block: bytes | None) -> bytes | None:
    """Gives a block its checksum: what is in it was written so, and what is compared is what it says."""
    if block is None or len(block) < 4096 - 16:
        return block
    buffer = bytearray(block)
    sign(buffer)
    return bytes(buffer)


def changed(path: Path, table: str, key: bytes, edit: Edit, *, is_signed: bool = True) -> None:
    """Writes another value in place of a stored one; None removes it. A block gets its checksum, if `is_signed`."""
    with lmdb.open(str(path), max_dbs=len(GALLERY_STORAGE.all_tables)) as environment:
        database = environment.open_db(table.encode())
        with environment.begin(db=database, write=True) as transaction:
            before = transaction.get(key)
            assert before is not None
            after = edit(bytes(before))
            if table in ("blocks", "means") and is_signed:
                after = signed(after)
            assert after != before
            if after is None:
                transaction.delete(key)
            else:
                transaction.put(key, after)


def of_row(change: Callable[[NDArray[np.float32]], object]) -> Edit:
    """Changes the vector of one person in its block."""

    def edit(block: bytes) -> bytes:
        row = np.frombuffer(ROW, np.float32).copy()
        with np.errstate(all="ignore"):
            change(row)
        assert block.count(ROW) == 1
        return block.replace(ROW, row.tobytes())

    return edit


def flipped(row: NDArray[np.float32]) -> None:
    """The highest bit of the exponent of the largest number."""
    row.view(np.uint32)[np.argmax(np.abs(row))] ^= 1 << 30


def owner(identity: int, template: int) -> Edit:
    """The third row's header."""
    return lambda block: block[:32] + struct.pack("<QQ", identity, template) + block[48:]


def record(kind: type[Gallery] | type[Identity] | type[Template], **values: int) -> Edit:
    def edit(value: bytes) -> bytes:
        parsed = kind.FromString(value)
        for name, number in values.items():
            setattr(parsed, name, number)
        return parsed.SerializeToString()

    return edit


GARBAGE = b"\xff" * 7

SEEN_BY_A_SEARCH: dict[str, tuple[str, bytes, Edit]] = {
    "a bit of a vector": ("means", PREFIX + bytes(8), of_row(flipped)),
    "a vector of NaN": ("means", PREFIX + bytes(8), of_row(lambda row: row.fill(np.nan))),
    "one NaN": ("means", PREFIX + bytes(8), of_row(lambda row: row.__setitem__(3, np.nan))),
    "infinity": ("means", PREFIX + bytes(8), of_row(lambda row: row.__setitem__(3, -np.inf))),
    "a huge opposite": ("means", PREFIX + bytes(8), of_row(lambda row: row.__imul__(-1e30))),
    "a vector of length 1.3": ("means", PREFIX + bytes(8), of_row(lambda row: row.__imul__(1.3))),
    "a row of no one": ("means", PREFIX + bytes(8), owner(999, 8)),
    "a row of another person": ("means", PREFIX + bytes(8), owner(4, 5)),
    "a row of no template": ("means", PREFIX + bytes(8), owner(7, 999)),
    "a block cut short": ("means", PREFIX + bytes(8), lambda block: block[:100]),
    "no block": ("means", PREFIX + bytes(8), lambda _: None),
    "more rows than blocks": ("galleries", b"default", record(Gallery, mean_count=4000)),
    "a gallery of another dimension": ("galleries", b"default", record(Gallery, dimension=17)),
    "a gallery without rows": ("galleries", b"default", record(Gallery, rows_per_block=0)),
    "a gallery that is no record": ("galleries", b"default", lambda _: GARBAGE),
    "a person that is no record": ("identities", PREFIX + b"2", lambda _: GARBAGE),
    "a person of another number": ("identities", PREFIX + b"2", record(Identity, number=4)),
    "no person": ("identities", PREFIX + b"2", lambda _: None),
    "the id of another person": ("identity_ids", PREFIX + IDENTITY_2, lambda _: b"1"),
    "an id that is no text": ("identity_ids", PREFIX + IDENTITY_2, lambda _: b"\xff"),
    "a template that is no record": ("templates", PREFIX + TEMPLATE_2, lambda _: GARBAGE),
    "a template of another row": ("templates", PREFIX + TEMPLATE_2, record(Template, mean_row=1)),
    "a template of a row beyond": (
        "templates",
        PREFIX + TEMPLATE_2,
        record(Template, mean_row=1 << 60),
    ),
    "no template": ("templates", PREFIX + TEMPLATE_2, lambda _: None),
}
SEEN_BY_THE_CHECK: dict[str, tuple[str, bytes, Edit]] = {
    **SEEN_BY_A_SEARCH,
    **{
        f"{kind}, of a template": ("blocks", key, edit)
        for kind, (table, key, edit) in SEEN_BY_A_SEARCH.items()
        if table == "means"
    },
    "a template in another row": ("templates", PREFIX + TEMPLATE_2, record(Template, row=1)),
    "a template in a row beyond": ("templates", PREFIX + TEMPLATE_2, record(Template, row=1 << 60)),
    "a template of no mean": ("templates", PREFIX + TEMPLATE_2, record(Template, mean_number=0)),
    "a template of another mean": (
        "templates",
        PREFIX + TEMPLATE_2,
        record(Template, mean_number=5),
    ),
    "more rows than templates": ("galleries", b"default", record(Gallery, template_count=4000)),
    "fewer rows than means": ("galleries", b"default", record(Gallery, mean_count=4)),
    "a vector of zeros": ("blocks", PREFIX + bytes(8), of_row(lambda row: row.fill(0.0))),
    "a vector that is tiny": ("blocks", PREFIX + bytes(8), of_row(lambda row: row.__imul__(1e-40))),
    "a count of people": ("galleries", b"default", record(Gallery, identity_count=4)),
    "fewer rows than templates": ("galleries", b"default", record(Gallery, template_count=4)),
    "a count of templates": ("identities", PREFIX + b"2", record(Identity, template_count=2)),
    "a template's id": ("template_keys", PREFIX + bytes(15) + b"\2", lambda _: None),
}
del SEEN_BY_THE_CHECK["a gallery of another dimension"]  # its blocks have another size then
SEEN_BY_THE_CHECK["a gallery of another size"] = (
    "galleries",
    b"default",
    record(Gallery, rows_per_block=17),
)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    await filled(tmp_path)
    return tmp_path


@pytest.fixture
def reopened(folder: Path) -> Iterator[Callable[..., LmdbGallery]]:
    galleries = []

    def open_again(damaged: tuple[str, ...] = ()) -> LmdbGallery:
        galleries.append(opened(folder, damaged))
        return galleries[-1]

    yield open_again
    for one in galleries:
        one.close()


@pytest.mark.parametrize("kind", SEEN_BY_A_SEARCH)
async def test_a_search_that_meets_damage_returns_no_one(
    kind: str, folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    table, key, edit = SEEN_BY_A_SEARCH[kind]
    changed(folder, table, key, edit)
    gallery = reopened()
    with pytest.raises(GalleryDamaged, match="damaged"):
        await gallery.search("default", VECTORS[2:3], 2)
    assert gallery.damaged_galleries == ("default",)
    assert (await gallery.statistics()).damaged_gallery_count == 1
    # From now on no probe is compared with it, and no one is enrolled.
    with pytest.raises(GalleryDamaged):
        await gallery.search("default", VECTORS[:1], 1)
    with pytest.raises(GalleryDamaged):
        await gallery.check_searchable("default")
    with pytest.raises(GalleryDamaged):
        await gallery.enroll(
            "default", NewIdentity("new", create=True), [EnrollmentResult("f" * 32)], VECTORS[:1]
        )
    # Other galleries go on.
    ((best,),) = (await gallery.search("other", VECTORS[2:3], 1)).candidates
    assert (best.identity_id, round(best.similarity, 4)) == ("2", 1.0)


@pytest.mark.parametrize("kind", SEEN_BY_THE_CHECK)
async def test_a_check_before_the_start_finds_damage_that_no_search_meets(
    kind: str, folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    assert faulty_galleries(str(folder)) == []
    table, key, edit = SEEN_BY_THE_CHECK[kind]
    changed(folder, table, key, edit)
    assert faulty_galleries(str(folder)) == ["default"]
    gallery = reopened(("default",))
    with pytest.raises(GalleryDamaged):
        await gallery.search("default", VECTORS[:1], 1)


SEEN_BY_ITS_CHECKSUM: dict[str, Edit] = {
    "the last bit of a number": of_row(lambda row: row.view(np.uint32).__ixor__(1)),
    "two vectors that changed places": lambda block: block.replace(ROW, VECTORS[3].tobytes(), 1),
    "a row of another person, of all of its templates": owner(4, 5),
    "a byte that no row has": lambda block: block[:-5] + b"\1" + block[-4:],
    "the checksum": lambda block: block[:-1] + bytes([block[-1] ^ 1]),
}


@pytest.mark.parametrize("table", ["blocks", "means"])
@pytest.mark.parametrize("kind", SEEN_BY_ITS_CHECKSUM)
async def test_a_block_that_is_not_what_was_written_is_damage_however_likely_it_looks(
    kind: str, table: str, folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    edit = SEEN_BY_ITS_CHECKSUM[kind]
    changed(folder, table, PREFIX + bytes(8), edit, is_signed=False)
    assert faulty_galleries(str(folder)) == ["default"]
    reads = exported if table == "blocks" else searched
    for use in (reads, lambda gallery: gallery.delete_identity("default", "0")):
        gallery = opened(folder)
        with pytest.raises(GalleryDamaged, match="a block is not what was written"):
            await use(gallery)
        assert gallery.damaged_galleries == ("default",)
        gallery.close()
    gallery = reopened()
    await gallery.search("other", VECTORS[:1], 1)
    with pytest.raises(GalleryDamaged, match="a block is not what was written"):
        await gallery.enroll(
            "default", NewIdentity("new", create=True), [EnrollmentResult("f" * 32)], VECTORS[:1]
        )


async def searched(gallery: LmdbGallery) -> object:
    return await gallery.search("default", VECTORS[:1], 1)


async def exported(gallery: LmdbGallery) -> list[object]:
    async with gallery.export_records("default") as (_, records):
        return [one async for one in records]


async def test_a_block_is_compared_once_for_each_version_of_it(
    folder: Path, reopened: Callable[..., LmdbGallery], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    checksum = block_checks._checksum

    def counted(block: memoryview | bytearray) -> int:
        if isinstance(block, memoryview):  # a write has a bytearray
            compared.append(len(block))
        return checksum(block)

    monkeypatch.setattr(block_checks, "_checksum", counted)
    gallery = reopened()
    for _ in range(3):
        await gallery.search("default", VECTORS, 2)
    await exported(gallery)
    assert len(compared) == 2  # the block of the means, and that of the templates
    await gallery.enroll(
        "default", NewIdentity("new", create=True), [EnrollmentResult("f" * 32)], VECTORS[:1]
    )
    del compared[:]
    for _ in range(3):
        await gallery.search("default", VECTORS, 2)
    await gallery.update_identity("default", "2", "other")  # a revision without a new block
    await gallery.search("default", VECTORS, 2)
    assert len(compared) == 1
    await gallery.delete_gallery("default")
    await gallery.search("default", VECTORS, 2)


async def test_a_damaged_gallery_can_be_deleted_and_filled_again(
    folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    changed(folder, *SEEN_BY_THE_CHECK["a vector of NaN, of a template"])
    assert damaged_galleries(folder) == ("default",)
    gallery = reopened()
    with pytest.raises(GalleryDamaged):
        async with gallery.export_records("default") as (_, records):
            [one async for one in records]
    assert list(gallery.damaged_galleries) == ["default"]
    await gallery.delete_gallery("default")
    assert list(gallery.damaged_galleries) == []
    async with gallery.export_records("other") as (_, records):
        await gallery.import_records("default", CONTRACT, records)
    ((best,),) = (await gallery.search("default", VECTORS[2:3], 1)).candidates
    assert best.identity_id == "2"


async def test_a_stored_record_that_cannot_be_parsed_is_not_the_callers_fault(
    folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    changed(folder, *SEEN_BY_A_SEARCH["a person that is no record"])
    changed(folder, "enrollments", b"other\0" + DIGEST_OF_2, lambda _: GARBAGE)
    gallery = reopened()
    for call in (
        gallery.get_identity("default", "2"),
        gallery.list_identities("default", "", 10),
        gallery.update_identity("default", "2", "name"),
        gallery.delete_identity("default", "2"),
        gallery.remembered_enrollment("other", "2", b"f"),
    ):
        with pytest.raises(GalleryDamaged):
            await call
    assert gallery.damaged_galleries == ("default", "other")


DIGEST_OF_2 = bytes.fromhex("d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35")


def refused(folder: Path, reason: str) -> None:
    """Neither the check nor an opening takes what lies in the folder, and none dies of it."""
    with pytest.raises(StorageDamaged, match=f"{reason}.*; restore it from a backup"):
        damaged_galleries(folder)
    with pytest.raises(StorageDamaged, match=reason):
        opened(folder)


META_FIELDS = {"magic": 16, "page size": 40, "root": 80, "last page": 136, "transaction": 144}


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("field", META_FIELDS)
async def test_a_meta_page_that_is_damaged_is_seen_before_it_is_used(
    page: int, field: str, folder: Path
) -> None:
    file = folder / "data.mdb"
    whole = file.read_bytes()
    for byte, bit in ((1, 4), (3, 6)):
        content = bytearray(whole)
        content[4096 * page + META_FIELDS[field] + byte] ^= 1 << bit
        file.write_bytes(content)
        with pytest.raises(StorageDamaged, match=r"damaged: a meta page|cut short"):
            opened(folder)
    file.write_bytes(whole)
    opened(folder).close()


async def test_a_file_that_is_cut_short_while_it_is_open_ends_no_process(folder: Path) -> None:
    gallery = opened(folder)
    assert gallery.is_whole
    file = folder / "data.mdb"
    os.truncate(file, file.stat().st_size - 8 * 4096)
    assert not gallery.is_whole
    with pytest.raises(StorageDamaged, match="cut short"):
        await gallery.search("default", VECTORS[:1], 1)
    with pytest.raises(StorageDamaged, match="cut short"):
        await gallery.delete_identity("default", "1")
    with pytest.raises(StorageDamaged, match="cut short"):
        async with gallery.export_records("default"):
            pass
    gallery.close()


async def test_a_storage_that_would_end_the_process_is_refused(folder: Path) -> None:
    file = folder / "data.mdb"
    whole = file.read_bytes()
    for kept, reason in (
        (len(whole) // 2 - 1, "cut short"),
        (len(whole) * 3 // 10, "cut short"),
        (8192, "cut short"),
        (4096, "damaged: a meta page"),
        (100, "damaged: a meta page"),
        (0, "empty"),
    ):
        file.write_bytes(whole[:kept])
        refused(folder, reason)
        assert file.read_bytes() == whole[:kept]  # as evidence, and for whoever repairs it
    file.write_bytes(random.Random(1).randbytes(100_000))
    refused(folder, "damaged: a meta page")
    file.write_bytes(whole)
    assert damaged_galleries(folder) == ()
    file.unlink()
    assert damaged_galleries(folder) == ()  # a new gallery


@pytest.mark.parametrize("seed", range(6))
async def test_pages_of_noise_never_pass_for_people(seed: int, folder: Path) -> None:
    """Whatever bits flip in the file: a check says so, or what a gallery returns is what was enrolled."""
    file = folder / "data.mdb"
    noise = random.Random(seed)
    with file.open("r+b") as pages:
        for _ in range(40 * (seed + 1)):
            at = noise.randrange(8192, os.path.getsize(file))
            pages.seek(at)
            byte = pages.read(1)[0]
            pages.seek(at)
            pages.write(bytes([byte ^ 1 << noise.randrange(8)]))
    try:
        damaged = damaged_galleries(folder)
    except StorageDamaged:
        return
    gallery = opened(folder, damaged)
    for gallery_id in {"default", "other"} - set(damaged):
        found = (await gallery.search(gallery_id, VECTORS, 1)).candidates
        assert [round(one.similarity, 2) for (one,) in found] == [1.0] * PEOPLE
    gallery.close()


@pytest.mark.parametrize("gallery_id", ["default", "other"])
async def test_a_gallery_without_a_record_hides_no_other_and_can_be_deleted(
    gallery_id: str, folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    (kept,) = {"default", "other"} - {gallery_id}
    before = opened(folder)
    seen = (await before.get_gallery(gallery_id)).revision
    before.close()
    changed(folder, "galleries", gallery_id.encode(), lambda _: GARBAGE)
    gallery = reopened()
    statistics = await gallery.statistics()
    assert [one.gallery_id for one in statistics.galleries] == [kept]
    assert statistics.damaged_gallery_count == 1
    assert [one.gallery_id for one in await gallery.list_galleries("", 1)] == [kept]
    assert list(gallery.damaged_galleries) == [gallery_id]
    revision = await gallery.delete_gallery(gallery_id)
    assert list(gallery.damaged_galleries) == []
    if gallery_id != "default":
        await gallery.create_gallery(gallery_id, "")
    made = await gallery.get_gallery(gallery_id)
    assert (made.display_name, made.identity_count, made.template_count) == (gallery_id, 0, 0)
    assert made.revision >= revision > seen
    assert await gallery.list_identities(gallery_id, "", 9) == []
    assert (await gallery.search(gallery_id, VECTORS[2:3], 1)).candidates == ((),)
    assert [one.gallery_id for one in await gallery.list_galleries("", 9)] == ["default", "other"]


async def test_a_list_above_a_gallery_without_a_record_does_not_pass_it_over(
    folder: Path, reopened: Callable[..., LmdbGallery]
) -> None:
    changed(folder, "galleries", b"default", lambda _: GARBAGE)
    gallery = reopened()
    assert [one.gallery_id for one in await gallery.list_galleries("default", 9)] == ["other"]
    assert gallery.damaged_galleries == ()


async def test_a_gallery_whose_check_was_ended_from_outside_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the kernel for want of memory, say: a restore would lose what was enrolled after the backup."""
    await filled(tmp_path)
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    (tmp_path / "killed.py").write_text(killed)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(storage_check, "_CHECK", "killed")
    with pytest.raises(OSError, match="was ended by SIGKILL"):
        damaged_galleries(tmp_path)


@pytest.mark.parametrize("can_erase", [True, False])
async def test_what_was_damaged_is_forgotten_after_a_restore_also_if_it_is_rewritten_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_erase: bool
) -> None:
    def fails(file: int, data: bytes, at: int) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    back_up(folder, tmp_path / "backup", lambda share: None)
    with closing(opened(folder, ("default",))) as gallery:
        with pytest.raises(GalleryDamaged):
            await gallery.search("default", VECTORS[:1], 1)
        done = subprocess.run(
            [sys.executable, "-c", RESTORE, folder, tmp_path / "backup"],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        assert gallery.damaged_galleries == ("default",)
        if can_erase:
            await gallery.tidy()
        else:
            monkeypatch.setattr(os, "pwrite", fails)
            with pytest.raises(OSError, match="Input/output error"):
                await gallery.tidy()
        assert not gallery.damaged_galleries
        assert (await gallery.search("default", VECTORS[:1], 1)).candidates


async def test_damage_of_the_file_before_is_not_remembered(folder: Path, tmp_path: Path) -> None:
    """A read that began before a restore, and ends after it."""
    back_up(folder, tmp_path / "backup", lambda share: None)
    with closing(opened(folder)) as gallery:
        reading = gallery._noting_damage("default")
        reading.__enter__()
        subprocess.run([sys.executable, "-c", RESTORE, folder, tmp_path / "backup"], check=True)
        await gallery.tidy()
        error = GalleryDamaged("of the file before")
        assert not reading.__exit__(GalleryDamaged, error, None)
        assert not gallery.damaged_galleries


RESTORE = """
import sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery import erasure
from facewire_server.backends.lmdb_gallery.restores import restore
folder, backup = map(Path, sys.argv[1:])
erasure.erased_within.__defaults__ = (0.0,)
restore(backup, folder, is_replacing=True)
erasure.compact(folder, 0.0)
"""
