import cv2
import numpy as np
import pytest

from facewire_server.pictures.face_crop import face_crop


def picture(width: int = 640, height: int = 360) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    image[..., 2] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    return image


def cut(image: np.ndarray, *box: float) -> np.ndarray:
    data = np.frombuffer(face_crop(image, np.asarray(box, np.float32)), np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert bgr is not None
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def test_the_crop_is_the_box_and_half_of_its_size_around_it() -> None:
    image = picture()
    crop = cut(image, 200, 100, 300, 200)
    assert crop.shape == (200, 200, 3)
    assert np.abs(crop.astype(int) - image[50:250, 150:350]).mean() < 2


def test_the_crop_ends_with_the_picture() -> None:
    assert cut(picture(), -20, -10, 60, 90).shape == (140, 100, 3)
    assert cut(picture(), 560, 300, 660, 400).shape == (110, 130, 3)


def test_a_large_face_is_reduced_to_512_pixels_a_side() -> None:
    assert cut(picture(2000, 1500), 500, 300, 1100, 1100).shape == (512, 410, 3)


@pytest.mark.parametrize("box", [(700, 10, 720, 30), (10, 10, 10, 30), (-90, -90, -50, -50)])
def test_a_box_outside_of_the_picture_is_an_error(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="outside"):
        cut(picture(), *box)
