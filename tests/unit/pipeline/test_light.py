"""What is dark is brightened; all else keeps every bit, and is the same array."""

import numpy as np
import pytest

from facewire_server.pipeline.light import DARK_LUMA, smoothed, stretched


def gray(luma: int, size: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.full((*size, 3), luma, np.uint8)


@pytest.mark.parametrize("luma", [DARK_LUMA, 90, 255])
def test_a_picture_that_is_not_dark_is_returned_itself(luma: int) -> None:
    image = gray(luma)
    before = image.copy()
    assert stretched(image) is image
    np.testing.assert_array_equal(image, before)


def test_a_lit_face_before_a_black_wall_is_not_dark() -> None:
    image = gray(0)
    image[20:40, 30:60] = 150  # an eighth of the picture
    assert stretched(image) is image


@pytest.mark.parametrize("luma", [8, 20, DARK_LUMA - 1])
def test_a_dark_picture_is_brightened_with_the_colors_in_their_ratio(luma: int) -> None:
    image = gray(luma)
    image[..., 2] = luma // 2
    lit = stretched(image).astype(float)
    assert 140 < lit[..., :2].mean() < 180
    np.testing.assert_allclose(lit[..., 2] / lit[..., 0], (luma // 2) / luma, atol=0.01)


def test_the_lettering_of_a_camera_does_not_hide_that_its_picture_is_dark() -> None:
    image = gray(10)
    image[:4] = 255  # a fifteenth of the picture
    lit = stretched(image)
    assert lit[30, 40, 0] > 120
    assert lit[0, 0, 0] == 255


def test_light_in_the_rows_that_are_looked_at_first_does_not_hide_that_a_picture_is_dark() -> None:
    image = gray(10, (64, 80))
    image[::8, :36] = 255  # of all pixels 6 %, of every eighth row 45 %
    assert stretched(image)[1, 1, 0] > 120


def test_a_black_picture_is_brightened_by_a_bounded_factor() -> None:
    assert stretched(gray(0)).max() == 0
    assert stretched(gray(1)).max() == 32


def test_the_noise_of_brightened_crops_is_smoothed_and_their_light_is_kept() -> None:
    noise = np.random.default_rng(5).integers(100, 200, (2, 112, 112, 3), dtype=np.uint8)
    result = smoothed(noise)
    assert result.std() < noise.std() / 3
    assert result.mean() == pytest.approx(noise.mean(), abs=1)
