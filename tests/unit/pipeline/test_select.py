"""Of several faces, the one that is meant is picked."""

import numpy as np
import pytest

from facewire_server.errors import NoFace, SeveralFaces
from facewire_server.pipeline.select import select
from facewire_server.types import Faces, FaceSelection

LARGE, CENTRAL = (0, 0, 80, 80), (40, 40, 60, 60)


def faces(*boxes: tuple[int, int, int, int]) -> Faces:
    count = len(boxes)
    return Faces(
        np.array(boxes, np.float32).reshape(count, 4),
        np.linspace(1, 0.9, count, dtype=np.float32),
        np.zeros((count, 5, 2), np.float32),
    )


@pytest.mark.parametrize(
    ("selection", "box"),
    [(FaceSelection.LARGEST, LARGE), (FaceSelection.MOST_CENTRAL, CENTRAL)],
)
def test_one_of_several_is_picked(selection: FaceSelection, box: tuple[int, ...]) -> None:
    for order in ((LARGE, CENTRAL), (CENTRAL, LARGE)):
        picked = select(faces(*order), selection, width_px=100, height_px=100)
        np.testing.assert_array_equal(picked.boxes, [box])


@pytest.mark.parametrize("size", [(400, 100), (100, 400)])
def test_the_center_is_that_of_the_picture_in_both_directions(size: tuple[int, int]) -> None:
    width_px, height_px = size
    x, y = width_px // 2, height_px // 2
    central, turned = (x - 9, y - 9, x + 9, y + 9), (y - 9, x - 9, y + 9, x + 9)
    around = [
        (x + dx - 9, y + dy - 9, x + dx + 9, y + dy + 9)
        for dx, dy in ((-20, 0), (20, 0), (0, -20), (0, 20))
    ]
    for others in (turned, (0, 0, 18, 18)), around:
        picked = select(
            faces(*others, central),
            FaceSelection.MOST_CENTRAL,
            width_px=width_px,
            height_px=height_px,
        )
        np.testing.assert_array_equal(picked.boxes, [central])


def test_a_small_box_between_two_people_is_not_the_most_central() -> None:
    left, right, between = (20, 60, 110, 160), (130, 60, 230, 170), (112, 100, 124, 114)
    for order in ((left, right, between), (between, right, left)):
        picked = select(faces(*order), FaceSelection.MOST_CENTRAL, width_px=250, height_px=250)
        np.testing.assert_array_equal(picked.boxes, [right])


def test_a_large_face_at_the_border_is_not_the_most_central() -> None:
    large, central = (0, 0, 150, 200), (250, 130, 310, 200)
    picked = select(faces(large, central), FaceSelection.MOST_CENTRAL, width_px=600, height_px=400)
    np.testing.assert_array_equal(picked.boxes, [central])


def test_a_box_without_an_area_is_not_the_most_central() -> None:
    nothing, aside = (52, 52, 52, 52), (0, 0, 40, 40)
    picked = select(faces(nothing, aside), FaceSelection.MOST_CENTRAL, width_px=100, height_px=100)
    np.testing.assert_array_equal(picked.boxes, [aside])


def test_the_largest_face_has_the_largest_area_wherever_it_is() -> None:
    far, long = (900, 900, 960, 960), (0, 0, 10, 200)
    for order in ((far, long), (long, far)):
        picked = select(faces(*order), FaceSelection.LARGEST, width_px=1000, height_px=1000)
        np.testing.assert_array_equal(picked.boxes, [far])


@pytest.mark.parametrize("selection", list(FaceSelection))
def test_a_single_face_is_the_one(selection: FaceSelection) -> None:
    assert len(select(faces(LARGE), selection, width_px=100, height_px=100)) == 1


@pytest.mark.parametrize("selection", list(FaceSelection))
def test_no_face_is_told(selection: FaceSelection) -> None:
    with pytest.raises(NoFace):
        select(faces(), selection, width_px=100, height_px=100)


def test_only_refuses_several() -> None:
    with pytest.raises(SeveralFaces, match="2 faces"):
        select(faces(LARGE, CENTRAL), FaceSelection.ONLY, width_px=100, height_px=100)
