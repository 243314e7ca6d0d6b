"""A drawn clock is read to the millisecond, after a codec and at another size, and in no other picture."""

import cv2
import numpy as np
import pytest

from harness import drawn_clock


def drawn(width, height, at_s, number=7):
    """The picture as BGR."""
    data = np.frombuffer(drawn_clock.draw(width, height, at_s, number), np.uint8)
    bgr = cv2.cvtColor(data.reshape(height * 3 // 2, width), cv2.COLOR_YUV2BGR_I420)
    return np.asarray(bgr, np.uint8)


@pytest.mark.parametrize("size", [(320, 240), (640, 360), (1920, 1080)])
@pytest.mark.parametrize("at_s", [0.0, 0.001, 25_311.448, 4_294_967.295])
def test_a_clock_survives_a_codec_and_another_size(size, at_s):
    picture = drawn(size[0], size[1], at_s)
    assert picture.shape == (size[1], size[0], 3)
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    read_back = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    assert drawn_clock.read(picture) == pytest.approx(at_s, abs=5e-4)
    assert drawn_clock.read(
        np.asarray(cv2.resize(read_back, (200, 150)), np.uint8)
    ) == pytest.approx(at_s, abs=5e-4)


def test_pictures_without_a_clock_have_no_time():
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(100)]
    flat = [np.full((240, 320, 3), level, np.uint8) for level in (0, 128, 255)]
    times = [drawn_clock.read(picture) for picture in pictures + flat]
    assert times.count(None) >= 98


def test_each_picture_differs_from_the_one_before():
    pictures = [drawn_clock.draw(320, 240, 1.0, number) for number in range(50)]
    assert len(set(pictures)) == 50
