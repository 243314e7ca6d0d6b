from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.lmdb_gallery.block_checks import BlockChecks
from facewire_server.backends.lmdb_gallery.block_editor import BlockEditor
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout, Blocks
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import number_key
from facewire_server.errors import GalleryDamaged
from facewire_server.galleries.vector_search import RowOwner

LAYOUT = BlockLayout(dimension=4, rows=3)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    environment = Environment(tmp_path, GALLERY_STORAGE, map_bytes=1 << 26, max_bytes=1 << 26)
    yield environment
    environment.close()


def vector(number: int) -> np.ndarray:
    return np.full(LAYOUT.dimension, number, np.float32)


def edit(environment: Environment, count: int, change) -> int:
    def write(transaction) -> int:
        editor = BlockEditor(transaction.table("blocks", b"g\0"), LAYOUT, count)
        change(editor)
        editor.flush()
        return editor.row_count

    return environment.write(write)


def add(environment: Environment, count: int, *numbers: int) -> int:
    return edit(
        environment,
        count,
        lambda editor: [editor.append(RowOwner(n, 100 + n), vector(n)) for n in numbers],
    )


def stored(environment: Environment, count: int) -> list[int]:
    with environment.read() as transaction:
        numbers: list[int] = []
        for block in Blocks(
            transaction.table("blocks", b"g\0"), LAYOUT, count, "g", 1, BlockChecks()
        ):
            for (identity, template), row in zip(
                block.owners.tolist(), block.vectors.tolist(), strict=True
            ):
                assert template == identity + 100
                assert row == [identity] * LAYOUT.dimension
                numbers.append(identity)
        return numbers


@pytest.mark.parametrize("dimension", [1, 128, 512, 2048, 100_000])
def test_a_block_with_the_storages_header_fills_whole_pages(dimension: int):
    layout = BlockLayout.chosen_for(dimension)
    assert (layout.value_bytes + 16) % 4096 == 0
    assert layout.rows * (16 + 4 * dimension) <= layout.value_bytes
    assert layout.value_bytes <= max(128 * 4096, 4 * dimension + 3 * 4096)


@pytest.mark.parametrize(("dimension", "rows"), [(128, 992), (512, 254)])
def test_usual_dimensions_get_the_measured_block_sizes(dimension: int, rows: int):
    assert BlockLayout.chosen_for(dimension).rows == rows


def test_rows_are_appended_in_order_across_blocks_and_transactions(environment: Environment):
    count = add(environment, 0, 1, 2)
    count = add(environment, count, 3, 4, 5, 6, 7)
    assert count == 7
    assert stored(environment, count) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("row", "left", "moved"),
    [(0, [7, 2, 3, 4, 5, 6], 7), (6, [1, 2, 3, 4, 5, 6], None), (4, [1, 2, 3, 4, 7, 6], 7)],
)
def test_a_removed_row_is_replaced_by_the_last(environment: Environment, row, left, moved):
    count = add(environment, 0, *range(1, 8))
    answers = []
    count = edit(environment, count, lambda editor: answers.append(editor.remove(row)))
    assert answers == [None if moved is None else RowOwner(moved, 100 + moved)]
    assert stored(environment, count) == left


def test_the_place_of_a_removed_row_holds_zeros(environment: Environment):
    count = add(environment, 0, 1, 2)
    edit(environment, count, lambda editor: editor.remove(0))
    with environment.read() as transaction:
        value = transaction.table("blocks", b"g\0").get(bytes(8))
    assert value is not None
    assert not LAYOUT.vectors(memoryview(value))[1:].any()
    assert not LAYOUT.headers(memoryview(value))[1:].any()


def test_the_last_row_of_a_block_takes_the_block_with_it(environment: Environment):
    count = add(environment, 0, 1, 2, 3, 4)
    count = edit(environment, count, lambda editor: editor.remove(1))
    with environment.read() as transaction:
        assert len(list(transaction.table("blocks", b"g\0").scan())) == 1
    count = edit(environment, count, lambda editor: [editor.remove(0) for _ in range(3)])
    with environment.read() as transaction:
        assert list(transaction.table("blocks").scan()) == []
    assert add(environment, count, 9) == 1


def test_more_blocks_than_are_held_can_be_changed_in_one_transaction(environment: Environment):
    numbers = range(1, 301)
    count = add(environment, 0, *numbers)
    expected = list(numbers)
    order = np.random.default_rng(0).permutation(200).tolist()

    def change(editor: BlockEditor) -> None:
        for place in order:
            row = place % editor.row_count
            editor.remove(row)
            expected[row] = expected[-1]
            expected.pop()

    count = edit(environment, count, change)
    assert stored(environment, count) == expected


def test_a_row_read_alone_is_a_copy(environment: Environment):
    owner, half = RowOwner(4, 104), np.full(LAYOUT.dimension, 0.5, np.float32)
    count = edit(
        environment, add(environment, 0, 1, 2, 3), lambda editor: editor.append(owner, half)
    )
    with environment.read() as transaction:
        blocks = Blocks(transaction.table("blocks", b"g\0"), LAYOUT, count, "g", 1, BlockChecks())
        (row,) = rows = blocks.rows([(3, owner)])
        for place in ((3, RowOwner(4, 105)), (4, owner)):
            with pytest.raises(GalleryDamaged):
                blocks.rows([(3, owner), place])
        with pytest.raises(GalleryDamaged, match="unit length"):
            blocks.rows([(2, RowOwner(3, 103))])
    assert rows.flags.owndata
    assert row.tolist() == [0.5] * 4


def test_blocks_that_were_compared_are_views_of_the_map_wherever_it_lies(environment: Environment):
    count = add(environment, 0, 1, 2, 3, 4)
    checks = BlockChecks()

    def addresses() -> tuple[list[int], list[int]]:
        """Where the blocks' vectors are, by the views and by LMDB."""
        with environment.read() as transaction:
            table = transaction.table("blocks", b"g\0")
            blocks = list(Blocks(table, LAYOUT, count, "g", 1, checks))
            assert [block.vectors[0, 0] for block in blocks] == [1, 4]
            values = [table.view(number_key(number)) for number in range(2)]
            return (
                [block.vectors.ctypes.data for block in blocks],
                [LAYOUT.vectors(value).ctypes.data for value in values if value is not None],
            )

    views, stored_at = addresses()
    assert views == stored_at
    for _ in range(4):  # the map is moved, and the gallery's revision stays
        environment.make_room(environment.map_bytes)
        views, stored_at = addresses()
        assert views == stored_at


def test_blocks_that_were_compared_are_not_compared_again(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
):
    count = add(environment, 0, 1, 2, 3, 4)
    checks = BlockChecks()
    looks: list[int] = []
    require = checks.require

    def counted(gallery_id: str, number: int, block: memoryview) -> None:
        looks.append(number)
        require(gallery_id, number, block)

    monkeypatch.setattr(checks, "require", counted)
    for revision, expected in ((1, [0, 1]), (1, [0, 1]), (2, [0, 1, 0, 1])):
        with environment.read() as transaction:
            table = transaction.table("blocks", b"g\0")
            assert len(list(Blocks(table, LAYOUT, count, "g", revision, checks))) == 2
        assert looks == expected


def test_galleries_have_blocks_of_their_own(environment: Environment):
    count = add(environment, 0, 1, 2, 3, 4)
    environment.write(
        lambda transaction: transaction.table("blocks", b"g.\0").put(bytes(8), bytes(1))
    )
    assert stored(environment, count) == [1, 2, 3, 4]
