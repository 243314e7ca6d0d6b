"""Tiles cover a canvas, and each face up to the largest lies whole in one of them."""

import numpy as np
import pytest

from facewire_server.pipeline.tiles import Tile, shown_whole, tiled
from facewire_server.types import Faces


def square(x: float, y: float, side: float) -> Faces:
    box = np.array([[x, y, x + side, y + side]], np.float32)
    return Faces(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))


@pytest.mark.parametrize("size", [(5000, 640), (640, 5000), (2760, 2070), (900, 3)])
@pytest.mark.parametrize("side", [10, 60])
def test_every_face_lies_whole_in_a_tile(size: tuple[int, int], side: int) -> None:
    width, height = size
    tiles = tiled(width, height, side, max_pixels=400_000, max_side_px=800)
    assert len({(tile.right - tile.left, tile.bottom - tile.top) for tile in tiles}) == 1
    random = np.random.default_rng(3)
    for _ in range(300):
        x, y = (float(random.uniform(0, max(1, length - side))) for length in size)
        assert any(len(shown_whole(square(x, y, side), tile, width, height)) for tile in tiles)


def test_a_canvas_that_is_small_enough_is_one_tile() -> None:
    assert tiled(500, 300, 40, max_pixels=400_000, max_side_px=800) == [Tile(0, 0, 500, 300)]


def test_there_are_no_tiles_for_faces_larger_than_a_tile() -> None:
    assert tiled(5000, 300, 700, max_pixels=400_000, max_side_px=800) == []


@pytest.mark.parametrize(
    ("x", "y", "is_whole"),
    [(150, 50, True), (103, 50, False), (258, 50, False), (150, -5, True), (150, 170, True)],
)
def test_a_face_that_a_border_inside_the_picture_cuts_is_left_to_the_next_tile(
    x: float, y: float, is_whole: bool
) -> None:
    """The borders of the picture itself cut faces, too; no other tile shows more of them."""
    found = shown_whole(square(x, y, 40), Tile(100, 0, 300, 200), 900, 200)
    assert len(found) == is_whole
