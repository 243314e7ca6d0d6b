"""The first picture of a GIF is read, and nothing of the rest."""

import io

import numpy as np
import pytest
from PIL import Image

from facewire_server.errors import TooManyPixels, UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits
from fakes.odd_pictures import encoded, gif_file, scene

LIMITS = PictureLimits(1 << 24, 1_000_000)
ONE_PIXEL = b"\x00\x51\xfc\x1b"


def as_pillow_reads(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(
    "options", [{}, {"interlace": 1}, {"comment": b"x" * 5000}, {"transparency": 3}]
)
def test_a_gif_is_read_as_another_reader_does(options: dict[str, object], shown) -> None:
    data = encoded(scene(), "GIF", **options)
    header = read_header(Picture(data, PictureFormat.GIF), LIMITS)
    assert (header.width_px, header.height_px) == (160, 96)
    np.testing.assert_array_equal(shown(data), as_pillow_reads(data))


def test_the_first_picture_of_an_animation_is_shown(shown) -> None:
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(scene(), 40 * index, 1)) for index in range(4)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0)
    data = file.getvalue()
    np.testing.assert_array_equal(shown(data), as_pillow_reads(data))
    assert read_header(Picture(data), LIMITS).file.count(b"\x21\xf9\x04") == 0


def test_a_picture_larger_than_its_screen_enlarges_the_screen(shown) -> None:
    data = bytearray(encoded(scene(), "GIF"))
    data[6:10] = b"\x04\0\x04\0"
    np.testing.assert_array_equal(shown(bytes(data)), as_pillow_reads(encoded(scene(), "GIF")))
    with pytest.raises(TooManyPixels, match="7000x7000"):
        read_header(Picture(gif_file((4, 4), (0, 0, 7000, 7000), ONE_PIXEL)), LIMITS)
    with pytest.raises(TooManyPixels, match="7000x7000"):
        read_header(Picture(gif_file((7000, 7000), (0, 0, 4, 4), ONE_PIXEL)), LIMITS)


def test_a_background_beyond_the_colors_does_no_harm(shown) -> None:
    data = bytearray(encoded(scene(), "GIF"))
    data[11] = 255
    np.testing.assert_array_equal(shown(bytes(data)), as_pillow_reads(encoded(scene(), "GIF")))


@pytest.mark.parametrize("code_bits", [0, 1, 9, 12, 255])
def test_codes_of_an_impossible_length_are_refused(code_bits: int) -> None:
    with pytest.raises(UndecodableImage, match="impossible length"):
        read_header(Picture(gif_file((4, 4), (0, 0, 4, 4), ONE_PIXEL, code_bits=code_bits)), LIMITS)


@pytest.mark.parametrize("size", [(0, 4), (4, 0)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableImage, match="no pixels"):
        read_header(Picture(gif_file((4, 4), (0, 0, *size), ONE_PIXEL)), LIMITS)


@pytest.mark.parametrize(
    "before",
    [
        b"\x21\xfe" + b"\x01x" * 140_000 + b"\0",
        b"\x21\xfe\0" * 140_000,
        (b"\x21\xfe" + b"\x01x" * 4 + b"\0") * 28_000,
    ],
)
def test_blocks_without_end_are_not_walked_through(before: bytes) -> None:
    data = gif_file((4, 4), (0, 0, 4, 4), ONE_PIXEL, before=before)
    with pytest.raises(UndecodableImage, match="131072 blocks"):
        read_header(Picture(data), LIMITS)


@pytest.mark.parametrize("keep", [6, 10, 13, 500, -3])
def test_a_gif_that_ends_early_is_cut_short(keep: int) -> None:
    with pytest.raises(UndecodableImage, match="cut short"):
        read_header(Picture(encoded(scene(), "GIF")[:keep]), LIMITS)
