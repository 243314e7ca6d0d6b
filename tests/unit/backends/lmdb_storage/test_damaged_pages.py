"""Whatever is in a file, the look at its meta pages and free pages ends, and says that it is whole or damaged."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facewire_server.backends.lmdb_storage.data_file import DataFile
from facewire_server.backends.lmdb_storage.free_pages import NotATree, read_free_pages
from facewire_server.backends.lmdb_storage.meta_pages import Meta, newest
from facewire_server.errors import StorageDamaged

PAGE = 4096
LEAF, OVERFLOW, DIRTY = 0x02, 0x04, 0x10


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a file with many free pages: a tree of several levels, with values on pages of their own."""
    made = tmp_path_factory.mktemp("source")
    chance = random.Random(1)
    with lmdb.open(str(made), map_size=256 << 20, sync=False) as environment:
        reading = environment.begin()  # keeps pages from being used again, so that the tree grows
        for number in range(150):
            with environment.begin(write=True) as transaction:
                for _ in range(10):
                    transaction.put(b"%d" % chance.randrange(900), bytes(200))
                if number in (50, 51):
                    transaction.put(b"large", bytes(5 << 19))
        reading.abort()
    return made


@pytest.fixture(scope="module")
def content(folder: Path) -> bytes:
    return (folder / "data.mdb").read_bytes()


def newest_meta(content: bytes) -> Meta:
    found = newest(content[:PAGE], content[PAGE : 2 * PAGE])
    assert found is not None
    return found


def tree_pages(content: bytes) -> list[int]:
    """Numbers of the pages of the tree of free pages, the root first."""
    meta = newest_meta(content)
    found, level = [meta.free_root], [meta.free_root]
    for _ in range(meta.free_depth - 1):
        below = []
        for number in level:
            page = content[number * PAGE :][:PAGE]
            (lower,) = struct.unpack_from("<H", page, 12)
            for (place,) in struct.iter_unpack("<H", page[16:lower]):
                low, high = struct.unpack_from("<IH", page, place)
                below.append(low | high << 32)
        found += below
        level = below
    return found


Change = tuple[int, bytes]
"""Where bytes are written to, and which."""


def looked_at(content: bytes, file: Path, *changes: Change, length: int | None = None) -> str:
    """What is said of a file that holds `content`, with changes, which are undone afterwards."""
    with file.open("r+b") as opened:
        try:
            for at, value in changes:
                opened.seek(at)
                opened.write(value)
            opened.truncate(len(content) if length is None else length)
            DataFile(file, "the storage").close()
        except StorageDamaged as error:
            return str(error)
        finally:
            kept = len(content) if length is None else length
            for at, value in changes:
                opened.seek(at)
                opened.write(content[at : at + len(value)])
            opened.seek(kept)
            opened.write(content[kept:])
            opened.truncate(len(content))
    return ""


def test_the_tree_that_is_changed_below_has_levels(folder: Path, content: bytes) -> None:
    assert newest_meta(content).free_depth >= 2
    assert looked_at(content, folder / "data.mdb") == ""


@settings(max_examples=400, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_file_with_wrong_bytes_is_whole_or_damaged(
    folder: Path, content: bytes, data: st.DataObject
) -> None:
    pages = [0, 1, *tree_pages(content)]
    changes: list[Change] = []
    for _ in range(data.draw(st.integers(1, 4))):
        page = data.draw(st.sampled_from(pages))
        at = page * PAGE + data.draw(st.one_of(st.integers(0, 160), st.integers(0, PAGE - 8)))
        width = data.draw(st.sampled_from((1, 2, 4, 8)))
        some = st.sampled_from((0, 1, 2, page, 256**width - 1))
        value = data.draw(st.one_of(st.integers(0, 256**width - 1), some))
        changes.append((at, (value % 256**width).to_bytes(width, "little")))
    length = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    said = looked_at(content, folder / "data.mdb", *changes, length=length)
    assert not said or "is damaged" in said or "is cut short" in said or "is empty" in said


@settings(max_examples=100, deadline=None, derandomize=True)
@given(content=st.binary(max_size=3 * PAGE))
def test_bytes_that_are_no_storage_are_damaged(folder: Path, content: bytes) -> None:
    file = folder / "other"
    file.write_bytes(content)
    with pytest.raises(StorageDamaged, match="is damaged" if content else "is empty"):
        DataFile(file, "the storage")


def place(content: bytes, page: int, number: int = 0) -> int:
    """Where a node of a page begins."""
    (found,) = struct.unpack_from("<H", content, page * PAGE + 16 + 2 * number)
    return page * PAGE + int(found)


DAMAGES: dict[str, Callable[[bytes, int, int], Change]] = {
    "a page that was never committed": lambda content, root, leaf: (
        leaf * PAGE + 10,
        struct.pack("<H", LEAF | DIRTY),
    ),
    "a page of another kind": lambda content, root, leaf: (
        leaf * PAGE + 10,
        struct.pack("<H", OVERFLOW),
    ),
    "a branch that leads to itself": lambda content, root, leaf: (
        place(content, root),
        struct.pack("<IH", root, 0),
    ),
    "a branch that leads behind the file": lambda content, root, leaf: (
        place(content, root),
        struct.pack("<IH", 0xFFFFFFFF, 0xFFFF),
    ),
    "a branch that leads to a meta page": lambda content, root, leaf: (
        place(content, root),
        struct.pack("<IH", 1, 0),
    ),
    "more pointers than a page holds": lambda content, root, leaf: (
        leaf * PAGE + 12,
        struct.pack("<H", 0xFFF0),
    ),
    "a pointer among the pointers": lambda content, root, leaf: (
        leaf * PAGE + 16,
        struct.pack("<H", 16),
    ),
    "a value of four gigabytes": lambda content, root, leaf: (
        place(content, leaf),
        struct.pack("<IH", 0xFFFFFFF0, 1),
    ),
    "a list that is longer than its value": lambda content, root, leaf: (
        place(content, leaf) + 16,
        struct.pack("<Q", 1 << 40),
    ),
    "a page that is free twice": lambda content, root, leaf: (
        place(content, leaf) + 24,
        content[place(content, leaf, 1) + 24 :][:8],
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_of_these_is_damage(folder: Path, content: bytes, damage: str) -> None:
    root, leaf, *_ = tree_pages(content)
    change = DAMAGES[damage](content, root, leaf)
    assert "its free pages are not listed" in looked_at(content, folder / "data.mdb", change)


def test_a_tree_deeper_than_lmdb_makes_is_not_read(folder: Path) -> None:
    with (folder / "data.mdb").open("rb") as file:
        meta = newest_meta(file.read(2 * PAGE))
        for depth in (0, 33, 65535):
            with pytest.raises(NotATree):
                read_free_pages(file.fileno(), meta._replace(free_depth=depth))
