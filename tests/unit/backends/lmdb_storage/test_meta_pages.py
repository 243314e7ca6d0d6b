"""Meta pages and lengths that no whole commit leaves: a storage opens as it was at a commit, or says that it is damaged."""

import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import lmdb
import pytest

from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.data_file import DataFile
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.meta_pages import META_BYTES
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.errors import GalleryDamaged, StorageDamaged

MIB = 1 << 20
PAGE = 4096
WRITTEN = range(16 + 16, META_BYTES)
"""What a commit writes of a meta page: from the size of the map on."""

STORAGE = GALLERY_STORAGE._replace(reserve_bytes=0, is_synced=False)
"""Without what makes thousands of openings slow."""

State = dict[bytes, bytes]


def opened(path: Path) -> Environment:
    return Environment(path, STORAGE, map_bytes=4 * MIB, max_bytes=64 * MIB)


def contents(path: Path) -> State | None:
    """What the storage in a folder holds; None if it says that it is damaged."""
    try:
        with closing(opened(path)) as environment, environment.read() as transaction:
            return dict(transaction.table("blocks").scan())
    except (StorageDamaged, GalleryDamaged):
        return None


@pytest.fixture(params=range(3))
def commits(request: Any, tmp_path: Path) -> tuple[list[bytes], list[State]]:
    """The bytes of a file after each of its last three commits, and what it held."""
    chance = random.Random(request.param)
    files, states = [], []
    with closing(opened(tmp_path / "source")) as environment:
        for _ in range(40 + request.param):

            def change(transaction: Transaction) -> None:
                table = transaction.table("blocks")
                for _ in range(chance.randrange(1, 6)):
                    key = b"%d" % chance.randrange(30)
                    table.put(key, chance.randbytes(chance.choice((10, 3000, 20_000))))
                table.delete(b"%d" % chance.randrange(30))

            environment.write(change)
            with environment.read() as transaction:
                states.append(dict(transaction.table("blocks").scan()))
            files.append((tmp_path / "source" / "data.mdb").read_bytes())
    return files[-3:], states[-3:]


def put(folder: Path, content: bytes | bytearray) -> None:
    for path in folder.glob("*.mdb"):
        path.unlink()
    folder.mkdir(exist_ok=True)
    (folder / "data.mdb").write_bytes(content)


def newest_page(file: bytes, one_before: bytes) -> int:
    """Where the meta page begins that the last commit wrote."""
    return next(at for at in (0, PAGE) if file[at : at + PAGE] != one_before[at : at + PAGE])


def torn(file: bytes, one_before: bytes) -> Iterator[bytearray]:
    """The file with every part of its last meta page that a cut write may have left: the first bytes, or the last ones."""
    at = newest_page(file, one_before)
    for place in WRITTEN:
        for new in (range(WRITTEN.start, place), range(place, WRITTEN.stop)):
            content = bytearray(file)
            content[at : at + PAGE] = one_before[at : at + PAGE]
            for byte in new:
                content[at + byte] = file[at + byte]
            yield content


def test_a_meta_page_that_was_written_in_part_opens_at_a_commit_or_is_damage(
    commits: tuple[list[bytes], list[State]], tmp_path: Path
) -> None:
    (_, one_before, last), (_, earlier, later) = commits
    found = []
    for content in torn(last, one_before):
        put(tmp_path / "torn", content)
        state = contents(tmp_path / "torn")
        assert state in (None, earlier, later)
        found.append(state)
    assert earlier in found
    assert later in found
    assert None in found


@pytest.mark.parametrize("which", ["the newer one", "the older one", "both"])
def test_a_meta_page_with_a_wrong_byte_opens_at_a_commit_or_is_damage(
    commits: tuple[list[bytes], list[State]], tmp_path: Path, which: str
) -> None:
    (_, one_before, last), (_, earlier, later) = commits
    newer = newest_page(last, one_before)
    pages = {"the newer one": (newer,), "the older one": (PAGE - newer,), "both": (0, PAGE)}[which]
    chance = random.Random(1)
    for byte in range(META_BYTES):
        content = bytearray(last)
        for at in pages:
            content[at + byte] ^= 1 << chance.randrange(8)
        put(tmp_path / "wrong", content)
        assert contents(tmp_path / "wrong") in (None, earlier, later), byte


@pytest.mark.parametrize("pages", [(0,), (PAGE,), (0, PAGE)])
@pytest.mark.parametrize("sector", [512, PAGE])
def test_a_meta_page_that_is_gone_is_damage(
    commits: tuple[list[bytes], list[State]], tmp_path: Path, pages: tuple[int, ...], sector: int
) -> None:
    for with_zeros in (True, False):
        content = bytearray(commits[0][-1])
        for at in pages:
            content[at : at + sector] = bytes(sector) if with_zeros else os.urandom(sector)
        put(tmp_path / "gone", content)
        assert contents(tmp_path / "gone") is None


def test_commits_of_any_kind_leave_no_file_that_is_called_damaged(tmp_path: Path) -> None:
    """Opened after each: a new table, large and small values, deletions, an empty change, a map that grows, and copies."""
    chance = random.Random(3)
    with lmdb.open(str(tmp_path), max_dbs=3, map_size=MIB) as environment:
        table = environment.open_db(b"a")
        for number in range(400):
            try:
                with environment.begin(write=True) as transaction:
                    for _ in range(chance.randrange(20)):
                        key = b"%d" % chance.randrange(200)
                        if chance.random() < 0.5:
                            transaction.delete(key, db=table)
                        else:
                            value = bytes(chance.choice((1, 500, 5000, 50_000)))
                            transaction.put(key, value, db=table)
                    if number % 50 == 49:
                        transaction.drop(table, delete=False)
            except lmdb.MapFullError:
                environment.set_mapsize(environment.info()["map_size"] + MIB)
            for compact in (False, True) if number % 20 == 0 else ():
                copy = tmp_path / f"{number}{compact}"
                copy.mkdir()
                environment.copy(str(copy), compact=compact)
                DataFile(copy / "data.mdb", "a copy").close()
                with (
                    lmdb.open(str(copy), max_dbs=3, map_size=64 * MIB) as copied,
                    copied.begin(write=True) as transaction,
                ):
                    transaction.put(b"later", b"", db=copied.open_db(b"a", txn=transaction))
                DataFile(copy / "data.mdb", "a copy").close()
            with closing(checked(tmp_path / "data.mdb")) as file:
                file.reach(environment.info()["last_pgno"])


def checked(path: Path) -> DataFile:
    return DataFile(path, "a storage")


def test_a_file_whose_end_was_never_written_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LMDB writes no page that was taken and freed in one transaction; after a power cut the file may be as short as what it wrote."""
    file, chance = tmp_path / "data.mdb", random.Random(0)
    with closing(opened(tmp_path)) as environment:

        def change(transaction: Transaction) -> None:
            table = transaction.table("blocks")
            keys = [b"%d" % chance.randrange(300) for _ in range(60)]
            for key in keys:
                table.put(key, bytes(chance.choice((10, 5000))))
            for key in keys[10:]:
                table.delete(key)

        with monkeypatch.context() as patched:
            patched.setattr(DataFile, "reach", lambda *_: None)  # as if it was not synced
            missing_bytes = 0
            while missing_bytes <= PAGE:
                environment.write(change)
                sizes = environment.statistics(())
                missing_bytes = sizes.used_bytes - sizes.file_bytes
        with environment.read() as transaction:
            expected = dict(transaction.table("blocks").scan())
    assert contents(tmp_path) == expected
    assert file.stat().st_size == sizes.used_bytes
    os.truncate(file, sizes.file_bytes // 2 // PAGE * PAGE)
    assert contents(tmp_path) is None


def test_a_file_without_what_its_first_transaction_wrote_is_no_new_storage(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as environment:
        environment.write(lambda transaction: transaction.table("blocks").put(b"kept", b"value"))
    with lmdb.open(str(tmp_path), max_dbs=20) as raw, raw.begin(write=True) as transaction:
        transaction.delete(b"format", db=raw.open_db(b"meta", txn=transaction))
    with pytest.raises(StorageDamaged, match="tables are missing"):
        opened(tmp_path)
