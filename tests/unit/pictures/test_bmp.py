"""A BMP's masks are obeyed wherever its header puts them, and its pixels lie within the file."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import bmp_file, encoded, scene

LIMITS = PictureLimits(1 << 24, 50_000_000)
MASKS = {
    "565": (16, (0xF800, 0x07E0, 0x001F)),
    "555": (16, (0x7C00, 0x03E0, 0x001F)),
    "444": (16, (0x0F00, 0x00F0, 0x000F)),
    "BGR565": (16, (0x001F, 0x07E0, 0xF800)),
    "BGRX": (32, (0xFF0000, 0xFF00, 0xFF)),
    "RGBX": (32, (0xFF, 0xFF00, 0xFF0000)),
    "XRGB": (32, (0xFF000000, 0xFF0000, 0xFF00)),
    "10 bits": (32, (0x3FF00000, 0xFFC00, 0x3FF)),
}


def packed(image: np.ndarray, bits: int, masks: tuple[int, int, int]) -> bytes:
    values = np.zeros(image.shape[:2], np.uint64)
    for channel, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        values |= np.round(image[..., channel] / 255 * (mask >> shift)).astype(
            np.uint64
        ) << np.uint64(shift)
    rows: NDArray[Any] = values.astype("<u2" if bits == 16 else "<u4")
    padding = -rows.shape[1] * bits // 8 % 4 // (bits // 8)
    return np.pad(rows, ((0, 0), (0, padding)))[::-1].tobytes()


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("header_bytes", [40, 52, 56, 108, 124])
@pytest.mark.parametrize("width", [160, 161])
def test_masks_are_obeyed(name: str, header_bytes: int, width: int, shown) -> None:
    bits, masks = MASKS[name]
    image = scene(width)
    data = bmp_file(
        width,
        96,
        bits,
        packed(image, bits, masks),
        compression=3,
        masks=masks,
        header_bytes=header_bytes,
    )
    coarsest = 255 / min(mask >> ((mask & -mask).bit_length() - 1) for mask in masks)
    assert np.abs(shown(data).astype(int) - image).max() <= coarsest / 2 + 1


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("header_bytes", [40, 56, 124])
def test_without_masks_the_usual_ones_count(bits: int, header_bytes: int, shown) -> None:
    masks = MASKS["555" if bits == 16 else "BGRX"][1]
    data = bmp_file(160, 96, bits, packed(scene(), bits, masks), header_bytes=header_bytes)
    assert np.abs(shown(data).astype(int) - scene()).max() <= 5
    top_down = bmp_file(
        160, -96, bits, packed(scene()[::-1], bits, masks), header_bytes=header_bytes
    )
    np.testing.assert_array_equal(shown(top_down), shown(data))


def test_masks_that_cannot_be_do_no_harm(shown) -> None:
    for masks in ((0, 0, 0), (0x10001, 0xFFFF0000, 0xFFFFFFFF), (0xFFFF, 0x8001, 1)):
        data = bmp_file(2, 2, 16, bytes(range(8)), compression=3, masks=masks)
        assert shown(data).shape == (2, 2, 3)


def test_colors_of_a_palette_and_of_runs(shown) -> None:
    colors = bytes(value for shade in range(256) for value in (shade, shade, shade, 0))
    rows = np.arange(64, dtype=np.uint8)[::-1, None].repeat(64, 1)
    plain = bmp_file(64, 64, 8, rows[::-1].tobytes(), colors=colors)
    runs = b"".join(bytes([64, shade]) + b"\0\0" for shade in range(64)) + b"\0\1"
    coded = bmp_file(64, 64, 8, runs, compression=1, colors=colors)
    np.testing.assert_array_equal(shown(plain)[..., 0], rows)
    np.testing.assert_array_equal(shown(coded), shown(plain))


def test_fewer_bytes_than_pixels_are_refused() -> None:
    data = encoded(scene(), "BMP")
    read_header(Picture(data), LIMITS)
    with pytest.raises(UndecodableImage, match="cut short"):
        read_header(Picture(data[:-1]), LIMITS)
    with pytest.raises(UndecodableImage, match="cut short"):
        read_header(Picture(bmp_file(7000, 7000, 24, b"")), LIMITS)


@pytest.mark.parametrize(
    ("bits", "compression"), [(24, 1), (8, 3), (24, 4), (0, 0), (2, 0), (64, 0)]
)
def test_what_is_not_read_is_named(bits: int, compression: int) -> None:
    data = bmp_file(8, 8, bits, bytes(999), compression=compression)
    with pytest.raises(
        UndecodableImage, match=f"{bits} bits a pixel and compression {compression}"
    ):
        read_header(Picture(data), LIMITS)


def test_the_header_of_os2_is_named() -> None:
    data = b"BM" + bytes(8) + (26).to_bytes(4, "little") + (12).to_bytes(4, "little") + bytes(300)
    with pytest.raises(UndecodableImage, match="OS/2"):
        read_header(Picture(data), LIMITS)
