"""Small files that other systems failed on: each with what is right. Skipped without the folder that holds them.

Each has a twin that a test of this folder builds: this is the proof that the twins are like the files.
"""

from pathlib import Path

import numpy as np
import pytest

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits

LIMITS = PictureLimits(1 << 24, 50_000_000)


@pytest.fixture(scope="module")
def cases(shared: Path) -> Path:
    folder = shared.parent / "cases" / "pictures"
    if not folder.is_dir():
        pytest.skip("needs the cases beside the lent pictures; there are none")
    return folder


# The greatest mean difference to plain.jpg, at the size of the smaller one: other sizes and losses of the formats.
SHOWN = {
    "jpeg_no_eoi.jpg": 0.0,
    "jpeg_last_bytes_lost.jpg": 0.5,
    "jpeg_last_bytes_lost_eoi_added.jpg": 0.5,
    "jpeg_two_bytes_between_segments.jpg": 0.0,
    "jpeg_ff00_between_segments.jpg": 0.0,
    "webp_orientation_6_exif_with_prefix.webp": 6.0,
    "webp_orientation_6_exif_without_prefix.webp": 6.0,
    "png_orientation_6_exif_with_prefix.png": 6.0,
    "png_orientation_6_exif_without_prefix.png": 6.0,
    "bmp_rgb565_v1_header.bmp": 12.0,
    "bmp_rgb565_v3_header.bmp": 12.0,
    "apng_default_upright_frames_turned.png": 12.0,
    "gif.gif": 16.0,
    "avif.avif": 8.0,
}
REFUSED = {
    "png_chunk_says_64MiB.png": "PNG picture is cut short",
    "png_chunk_says_1GiB.png": "PNG picture is cut short",
    "png_chunk_says_4GiB.png": "PNG picture is cut short",
    "jpeg_1000_scans_5000x5000.jpg": "more scans than are decoded",
    "jpeg_crlf_before.jpg": "a JPEG begins at byte 2;",
    "jpeg_zeros_before.jpg": "a JPEG begins at byte 16;",
    "jpeg_12bit_libjpeg-turbo_monkey12.jpg": "12 bits a sample, which is not read",
    "webp_animated.webp": "WebP picture is an animation",
    "tiff.tif": "a TIFF picture",
    "heic.heic": "a HEIC picture",
    "bmp_os2.bmp": "OS/2",
    "film_progressive.mp4": "a film",
}


@pytest.mark.shared
@pytest.mark.parametrize("name", SHOWN)
def test_what_is_right_is_shown(cases: Path, name: str, shown) -> None:
    plain, image = shown((cases / "plain.jpg").read_bytes()), shown((cases / name).read_bytes())
    by = plain.shape[0] // image.shape[0]
    assert image.shape[0] * by == plain.shape[0]
    smaller = plain.reshape(plain.shape[0] // by, by, plain.shape[1] // by, by, 3).mean((1, 3))
    assert np.abs(image - smaller).mean() <= SHOWN[name]


@pytest.mark.shared
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named(cases: Path, name: str) -> None:
    with pytest.raises(UndecodableImage, match=REFUSED[name]):
        read_header(Picture((cases / name).read_bytes()), LIMITS)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["png_4x1.png", "jpeg_no_extra_scans_5000x5000.jpg"])
def test_what_is_odd_and_honest_is_shown(cases: Path, name: str, shown) -> None:
    assert shown((cases / name).read_bytes()).ndim == 3
