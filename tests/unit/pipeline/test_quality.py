"""Quality tells small, blurred and dark faces from good ones."""

import cv2
import numpy as np
import pytest

from facewire_server.pipeline.quality import assess
from facewire_server.types import Faces


def one_face(left: tuple[float, float], right: tuple[float, float]) -> Faces:
    landmarks = np.zeros((1, 5, 2), np.float32)
    landmarks[0, :2] = left, right
    return Faces(np.zeros((1, 4), np.float32), np.ones(1, np.float32), landmarks)


def test_size_is_the_distance_of_the_eyes() -> None:
    crops = np.zeros((1, 112, 112, 3), np.uint8)
    assert assess(one_face((10, 20), (40, 60)), crops)[0].inter_eye_px == 50


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
