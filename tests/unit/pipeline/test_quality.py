"""Quality tells small, blurred and dark faces from good ones."""

import cv2
import numpy as np

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
        for image in (crop, cv2.GaussianBlur(crop, (0, 0), 3), crop // 4)
    )
    assert blurred.sharpness < sharp.sharpness / 10
    assert dark.brightness < sharp.brightness / 3


def test_no_face_has_no_quality() -> None:
    nobody = Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
    assert assess(nobody, np.zeros((0, 112, 112, 3), np.uint8)) == []
