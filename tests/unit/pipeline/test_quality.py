"""Quality tells small, blurred and dark faces from good ones."""

import cv2
import numpy as np
import pytest

from facewire_server.pipeline.quality import assess, attitude, eye_brightness
from facewire_server.types import Faces, Quality


def one_face(left: tuple[float, float], right: tuple[float, float]) -> Faces:
    landmarks = np.zeros((1, 5, 2), np.float32)
    landmarks[0, :2] = left, right
    return Faces(np.zeros((1, 4), np.float32), np.ones(1, np.float32), landmarks)


def test_size_is_the_distance_of_the_eyes() -> None:
    crops = np.zeros((1, 112, 112, 3), np.uint8)
    assert assess(one_face((10, 20), (40, 60)), crops)[0].inter_eye_px == 50


@pytest.mark.parametrize("yaw_degrees", [0, 30, 45, 60])
def test_a_face_that_turns_to_the_side_is_as_large_as_from_the_front(yaw_degrees: int) -> None:
    """Points of a head in space, of which a turn hides the width, seen from far away."""
    width, depth = np.cos(np.radians(yaw_degrees)), np.sin(np.radians(yaw_degrees))
    eyes, mouth = 40.0, 40.0 / 0.82
    head = [
        (-eyes / 2, 0, 0),
        (eyes / 2, 0, 0),
        (0, mouth / 2, 25),
        (-14, mouth, 0),
        (14, mouth, 0),
    ]
    points = [(x * width + z * depth, y) for x, y, z in head]
    seen = attitude(np.array(points, np.float32))
    assert seen.inter_eye_px == pytest.approx(40, abs=0.1)
    assert abs(seen.yaw) == pytest.approx(25 * depth / mouth, abs=0.01)


def test_a_strip_of_a_face_is_small() -> None:
    points = np.array([(3, 0), (7, 0), (5, 20), (4, 40), (6, 40)], np.float32)
    assert attitude(points).inter_eye_px == 8


def test_a_frontal_face_with_wide_eyes_is_as_large_as_they_are_apart() -> None:
    points = np.array([(0, 0), (50, 0), (25, 20), (10, 40), (40, 40)], np.float32)
    assert attitude(points).inter_eye_px == 50


def test_blur_lowers_sharpness_and_darkness_brightness() -> None:
    crop = np.random.default_rng(1).integers(60, 200, (112, 112, 3), dtype=np.uint8)
    faces = one_face((0, 0), (30, 0))
    sharp, blurred, dark = (
        assess(faces, image[None])[0]
        for image in (crop, cv2.GaussianBlur(crop, (0, 0), 3).astype(np.uint8), crop // 4)
    )
    assert blurred.sharpness < sharp.sharpness / 10
    assert dark.brightness < sharp.brightness / 3


@pytest.mark.parametrize(
    ("color", "luma"),
    [((200, 200, 200), 200), ((255, 0, 0), 76), ((0, 255, 0), 150), ((0, 0, 255), 29)],
)
def test_brightness_is_the_mean_luma_and_an_even_crop_has_no_sharpness(
    color: tuple[int, int, int], luma: float
) -> None:
    """Weights of ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue."""
    crops = np.full((1, 112, 112, 3), color, np.uint8)
    (quality,) = assess(one_face((0, 0), (30, 0)), crops)
    assert quality.brightness == pytest.approx(luma, abs=0.5)
    assert quality.sharpness == 0


def test_sharpness_counts_what_is_darker_than_its_surroundings_too() -> None:
    """A single dark pixel has the Laplacian of a single light one, with the other sign."""
    crops = np.full((2, 112, 112, 3), 100, np.uint8)
    crops[0, 50, 50], crops[1, 50, 50] = 200, 0
    two = Faces(np.zeros((2, 4), np.float32), np.ones(2, np.float32), np.zeros((2, 5, 2), "f4"))
    light, dark = assess(two, crops)
    assert dark.sharpness == pytest.approx(light.sharpness)
    # -4 in the middle and 1 at each of four neighbors: variance 20/112² of the step's square.
    assert light.sharpness == pytest.approx(20 * 100**2 / 112**2, rel=1e-3)


def test_each_quality_is_of_its_own_face() -> None:
    landmarks = np.zeros((2, 5, 2), np.float32)
    landmarks[0, 1], landmarks[1, 1] = (30, 0), (0, 40)
    two = Faces(np.zeros((2, 4), np.float32), np.ones(2, np.float32), landmarks)
    crops = np.stack([np.full((112, 112, 3), value, np.uint8) for value in (50, 90)])
    first, second = assess(two, crops)
    assert (first.inter_eye_px, second.inter_eye_px) == (30, 40)
    assert (first.brightness, second.brightness) == (50, 90)


def test_no_face_has_no_quality() -> None:
    nobody = Faces(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
    )
    assert assess(nobody, np.zeros((0, 112, 112, 3), np.uint8)) == []


def textured() -> np.ndarray:
    """A crop with detail in all directions, (112, 112, 3)."""
    noise = np.random.default_rng(1).integers(60, 200, (112, 112, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 0.7).astype(np.uint8)


def measured(crop: np.ndarray) -> Quality:
    (quality,) = assess(one_face((0, 0), (30, 0)), crop[None])
    return quality


@pytest.mark.parametrize("kernel", [(15, 1), (1, 15)], ids=["along_x", "along_y"])
def test_a_smear_along_either_axis_lowers_directional_sharpness(kernel: tuple[int, int]) -> None:
    """The Laplacian keeps what is sharp along the other axis: its half."""
    crop = textured()
    clean, smeared = measured(crop), measured(cv2.blur(crop, kernel).astype(np.uint8))
    assert smeared.directional_sharpness < clean.directional_sharpness / 50
    assert smeared.sharpness > clean.sharpness / 20


def test_directional_sharpness_is_the_variance_of_the_second_derivative() -> None:
    crop = np.full((112, 112, 3), 100, np.uint8)
    crop[50, 50] = 200
    # 1, -2 and 1 times 100 in three of 80 x 80 pixels, along either axis.
    assert measured(crop).directional_sharpness == pytest.approx(6 * 100**2 / 80**2, rel=1e-3)


def test_the_border_of_a_picture_is_no_sharpness() -> None:
    crop = np.full((112, 112, 3), 100, np.uint8)
    crop[:10], crop[:, 100:] = 0, 0
    assert measured(crop).directional_sharpness == 0
    assert measured(crop).sharpness > 100


def test_a_dark_face_is_as_sharp_as_a_lit_one_and_its_brightness_is_as_received() -> None:
    crop = (textured().astype(float) * 0.6).astype(np.uint8)  # mean luma about 78
    lit, dark = measured(crop), measured((crop.astype(float) / 4).astype(np.uint8))
    assert dark.brightness == pytest.approx(lit.brightness / 4, abs=0.5)
    assert dark.directional_sharpness == pytest.approx(
        lit.directional_sharpness, rel=0.3
    )  # rounding adds some


FRONTAL = [(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)]


def pose(nose: tuple[float, float], *, tilted_by_degrees: float = 0.0) -> Quality:
    points = np.array([*FRONTAL[:2], nose, *FRONTAL[3:]])
    turn = np.exp(1j * np.radians(tilted_by_degrees))
    turned = (points @ (1, 1j)) * turn
    faces = one_face((0, 0), (0, 0))
    faces.landmarks[0] = np.stack([turned.real, turned.imag], axis=-1)
    (quality,) = assess(faces, np.zeros((1, 112, 112, 3), np.uint8))
    return quality


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 180.0])
def test_pose_is_the_shift_of_the_nose_whatever_the_tilt(degrees: float) -> None:
    """Eyes and mouth are 40.7 apart."""
    frontal = pose((56.0, 71.7), tilted_by_degrees=degrees)
    assert (frontal.yaw, frontal.pitch) == pytest.approx((0, 0), abs=0.01)
    to_viewers_right = pose((64.1, 71.7), tilted_by_degrees=degrees)
    assert (to_viewers_right.yaw, to_viewers_right.pitch) == pytest.approx((0.2, 0), abs=0.01)
    up = pose((56.0, 63.6), tilted_by_degrees=degrees)
    assert (up.yaw, up.pitch) == pytest.approx((0, 0.2), abs=0.01)


def test_landmarks_on_one_point_have_no_pose_and_far_ones_a_bounded_one() -> None:
    assert assess(one_face((0, 0), (0, 0)), np.zeros((1, 112, 112, 3), np.uint8))[0].yaw == 0
    assert pose((9000.0, 71.7)).yaw == 1.0
    assert pose((-9000.0, 71.7)).yaw == -1.0


def test_dark_glasses_darken_the_eyes_against_the_cheeks() -> None:
    crop = np.full((112, 112, 3), 150, np.uint8)
    assert eye_brightness(crop) == pytest.approx(1.0)
    assert eye_brightness(crop // 5) == pytest.approx(1.0)
    for x in (38, 73):
        cv2.ellipse(crop, (x, 51), (14, 10), 0, 0, 360, (15, 15, 15), -1)
    assert eye_brightness(crop) == pytest.approx(0.1, abs=0.02)
