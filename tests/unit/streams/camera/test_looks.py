"""A face that looks unlike its track's last one is doubted, wherever it stands."""

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.pipeline.face_gray import FACE_GRAY_PX, face_grays
from facewire_server.streams.camera.looks import Looks
from facewire_server.streams.camera.scene import Scene

Pixels = NDArray[np.uint8]


def face(seed: int, *, light: float = 1.0) -> Pixels:
    """(1, 24, 24): a face's gray levels."""
    drawn = np.random.default_rng(seed).integers(60, 200, (1, FACE_GRAY_PX, FACE_GRAY_PX))
    return (drawn * light).astype(np.uint8)


@pytest.fixture
def looks() -> Looks:
    looks = Looks()
    looks.saw([7], face(1), [])
    return looks


def test_another_face_at_the_same_place_is_doubted(looks: Looks) -> None:
    assert looks.changed([7], face(2)).tolist() == [True]
    assert looks.changed([7], face(1)).tolist() == [False]


def test_more_light_makes_no_other_face(looks: Looks) -> None:
    assert looks.changed([7], face(1, light=0.5)).tolist() == [False]


def test_a_face_without_a_track_is_not_doubted(looks: Looks) -> None:
    assert looks.changed([0], face(2)).tolist() == [False]
    assert looks.changed([8], face(2)).tolist() == [False]


def test_a_track_that_is_hidden_for_a_frame_is_remembered_until_it_ends(looks: Looks) -> None:
    looks.saw([], face(1)[:0], [7])
    assert looks.changed([7], face(2)).tolist() == [True]
    looks.saw([], face(1)[:0], [])
    assert looks.changed([7], face(2)).tolist() == [False]


def test_faces_are_cut_out_with_their_surroundings_up_to_the_edge_of_the_picture() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 30:40] = 200
    image[5:10, 25:45] = 100
    boxes = np.array([[30, 10, 39, 19], [0, 0, 9, 9], [56, 36, 80, 60], [-30, -30, -9, -9]])
    grays = face_grays(image, boxes.astype(np.float32))
    assert grays.shape == (4, FACE_GRAY_PX, FACE_GRAY_PX)
    assert grays[0, 8:16, 8:16].mean() == pytest.approx(200, abs=2)
    assert grays[0, 1:5, 1:-2].mean() == pytest.approx(100, abs=5), "hair"
    assert grays[1:].mean(axis=(1, 2)).tolist() == [0, 0, 0]
    assert face_grays(image, boxes[:0]).shape == (0, FACE_GRAY_PX, FACE_GRAY_PX)


def smooth_face(seed: int, *, larger: float = 1.0, right_px: int = 0, hair: int = 60) -> Pixels:
    """(1, 24, 24): eyes, nose and mouth of no sharp edges before a wall, under hair of one gray."""
    large = np.full((240, 240), 180.0)
    yy, xx = np.mgrid[0:240, 0:240]
    x, y = (xx - 120 - 10 * right_px) / larger + 120, (yy - 120) / larger + 120
    large[np.hypot((x - 120) / 75, (y - 105) / 95) < 1] = hair
    large[np.hypot((x - 120) / 55, (y - 120) / 75) < 1] = 150
    for at in np.random.default_rng(seed).uniform(85, 155, (4, 2)):
        large[np.hypot(x - at[0], y - at[1]) < 12] = 70
    parts = large.reshape(24, 10, 24, 10).mean(axis=(1, 3))
    return parts.astype(np.uint8)[None]


@pytest.mark.parametrize(("larger", "right_px"), [(1.0, 2), (1.08, 0), (0.93, -1)])
def test_a_face_that_moved_within_its_box_is_not_doubted(larger: float, right_px: int) -> None:
    looks = Looks()
    looks.saw([7], smooth_face(1), [])
    assert not looks.changed([7], smooth_face(1, larger=larger, right_px=right_px))[0]


def test_other_hair_around_the_same_face_is_doubted() -> None:
    """Two people whose faces are alike in few gray levels: hair and neck are not."""
    looks = Looks()
    looks.saw([7], smooth_face(1, hair=60), [])
    assert looks.changed([7], smooth_face(1, hair=200))[0]


def test_a_face_in_place_of_an_even_picture_is_doubted() -> None:
    looks = Looks()
    looks.saw([7], np.full_like(face(1), 90), [])
    assert looks.changed([7], face(1))[0]


def wall(person: int) -> Pixels:
    """(18, 32): a light wall, and a person of some gray before it."""
    small = np.full((18, 32), 190, np.uint8)
    small[6:, 10:22] = person
    small[2:6, 14:18] = 120
    return small


def test_another_person_before_the_same_wall_is_a_cut() -> None:
    scene = Scene()
    first, second = wall(60), wall(60)
    second[6:, 7:13], second[10:, 18:26] = 90, 130
    scene.saw(first, is_search=True)
    scene.saw(first, is_search=False)
    assert scene.is_cut(second)


def test_a_scene_that_moves_all_the_time_is_not_cut_all_the_time() -> None:
    scene = Scene()
    stripes = np.tile(np.repeat([40, 200], 4), 4).astype(np.uint8)
    frames = [np.tile(np.roll(stripes, shift), (18, 1)) for shift in range(5)]
    scene.saw(frames[0], is_search=True)
    assert scene.is_cut(frames[1]), "nothing is known of the scene yet"
    for frame in frames[1:]:
        scene.saw(frame, is_search=False)
    assert not scene.is_cut(np.tile(np.roll(stripes, 5), (18, 1)))


def test_noise_on_an_even_face_makes_no_other_face() -> None:
    looks = Looks()
    drawn = np.random.default_rng(3)
    shape = (1, FACE_GRAY_PX, FACE_GRAY_PX)
    looks.saw([7], drawn.integers(98, 103, shape, np.uint8), [])
    assert looks.changed([7], drawn.integers(98, 103, shape, np.uint8)).tolist() == [False]
