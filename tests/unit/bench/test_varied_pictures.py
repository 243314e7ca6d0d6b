"""Every varied picture is one that the server accepts: its bytes, size and format agree."""

from typing import Final

import numpy as np

from bench.varied_pictures import FORMATS, varied
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.rpc.convert import picture
from facewire_server.types import PictureLimits

LIMITS: Final = PictureLimits(1 << 24, 1 << 24)


def test_the_pictures_have_ever_other_sizes_and_all_formats() -> None:
    base = np.full((90, 120, 3), (40, 90, 160), np.uint8)
    seen, sizes = set(), set()
    for image in varied([base], 60, seed=4):
        given = picture(image, "image")
        header = read_header(given, LIMITS)
        pixels = decode(given, header)
        seen.add(image.format)
        sizes.add(pixels.shape[:2])
        if given.format.value != "GRAY8":
            np.testing.assert_allclose(pixels.mean(axis=(0, 1)), (160, 90, 40), atol=12)
    assert seen == set(FORMATS)
    assert len(sizes) == 60
