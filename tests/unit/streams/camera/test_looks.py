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


def test_faces_are_cut_out_of_the_picture_and_its_edge() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:20, 30:40] = 200
    boxes = np.array([[30, 10, 39, 19], [0, 0, 9, 9], [50, 30, 80, 60], [-30, -30, -9, -9]])
    grays = face_grays(image, boxes.astype(np.float32))
    assert grays.shape == (4, FACE_GRAY_PX, FACE_GRAY_PX)
    assert grays.mean(axis=(1, 2)).tolist() == [200, 0, 0, 0]
    assert face_grays(image, boxes[:0]).shape == (0, FACE_GRAY_PX, FACE_GRAY_PX)


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
