"""Raw pictures as cameras and their drivers deliver them: planes, packed pairs, padding."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ImageLayout
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits
from fakes.odd_pictures import scene

LIMITS = PictureLimits(1 << 24, 1_000_000)
WIDTH, HEIGHT = 160, 96


def shown(picture: Picture) -> NDArray[np.uint8]:
    return decode(picture, read_header(picture, LIMITS))


def yuv() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Luma, and Cb and Cr of half its sides, by OpenCV's own conversion."""
    planes = cv2.cvtColor(scene(), cv2.COLOR_RGB2YUV_I420)
    chroma = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return planes[:HEIGHT], chroma[0], chroma[1]


def padded(plane: NDArray[np.uint8], stride: int, rows: int) -> bytes:
    below, right = rows - plane.shape[0], stride - plane.shape[1]
    return np.pad(plane, ((0, below), (0, right)), constant_values=99).tobytes()


def in_planes(layout: PictureFormat, stride: int, chroma_stride: int, rows: int) -> bytes:
    luma, cb, cr = yuv()
    if layout is PictureFormat.I420:
        return padded(luma, stride, rows) + b"".join(
            padded(plane, chroma_stride, rows // 2) for plane in (cb, cr)
        )
    pair = (cb, cr) if layout is PictureFormat.NV12 else (cr, cb)
    woven = np.stack(pair, -1).reshape(HEIGHT // 2, WIDTH)
    return padded(luma, stride, rows) + padded(woven, stride, rows // 2)


PLANES = {
    PictureFormat.I420: cv2.COLOR_YUV2RGB_I420,
    PictureFormat.NV12: cv2.COLOR_YUV2RGB_NV12,
    PictureFormat.NV21: cv2.COLOR_YUV2RGB_NV21,
}


@pytest.mark.parametrize("layout", PLANES)
@pytest.mark.parametrize("stride", [160, 161, 192])
@pytest.mark.parametrize("rows", [96, 98, 112])
def test_planes_are_read_to_the_pixel(layout: PictureFormat, stride: int, rows: int) -> None:
    """`rows` is what a driver rounds the height up to: 1088 for 1080."""
    plain = np.frombuffer(in_planes(layout, WIDTH, WIDTH // 2, HEIGHT), np.uint8)
    expected = cv2.cvtColor(plain.reshape(HEIGHT * 3 // 2, WIDTH), PLANES[layout])
    assert np.abs(expected.astype(int) - scene()).mean() < 4
    chroma_stride = (stride + 1) // 2
    data = in_planes(layout, stride, chroma_stride, rows)
    picture = Picture(data, layout, WIDTH, HEIGHT, stride, plane_height_px=rows)
    np.testing.assert_array_equal(shown(picture), expected)


@pytest.mark.parametrize("chroma_stride", [80, 96, 160])
def test_the_chroma_planes_of_i420_have_a_stride_of_their_own(chroma_stride: int) -> None:
    data = in_planes(PictureFormat.I420, 192, chroma_stride, HEIGHT)
    picture = Picture(data, PictureFormat.I420, WIDTH, HEIGHT, 192, chroma_stride)
    expected = shown(
        Picture(in_planes(PictureFormat.I420, 160, 80, 96), PictureFormat.I420, 160, 96)
    )
    np.testing.assert_array_equal(shown(picture), expected)


@pytest.mark.parametrize(
    ("layout", "code"),
    [
        (PictureFormat.YUYV, cv2.COLOR_YUV2RGB_YUYV),
        (PictureFormat.UYVY, cv2.COLOR_YUV2RGB_UYVY),
    ],
)
@pytest.mark.parametrize("padding", [0, 4, 32])
def test_packed_pairs_are_read_to_the_pixel(layout: PictureFormat, code: int, padding: int) -> None:
    luma, cb, cr = yuv()
    chroma = np.stack([cb.repeat(2, 0), cr.repeat(2, 0)], -1).reshape(HEIGHT, WIDTH)
    order = (luma, chroma) if layout is PictureFormat.YUYV else (chroma, luma)
    packed = np.stack(order, -1)
    data = padded(packed.reshape(HEIGHT, 2 * WIDTH), 2 * WIDTH + padding, HEIGHT)
    image = shown(Picture(data, layout, WIDTH, HEIGHT, 2 * WIDTH + padding))
    np.testing.assert_array_equal(image, cv2.cvtColor(packed, code))
    assert np.abs(image.astype(int) - scene()).mean() < 4


@pytest.mark.parametrize(
    ("rgb", "yuv_"),
    [((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)), ((255, 0, 0), (81, 90, 240)),
     ((0, 255, 0), (145, 54, 34)), ((0, 0, 255), (41, 240, 110))],
)  # fmt: skip
def test_known_colors_are_those_of_bt601(rgb: tuple[int, ...], yuv_: tuple[int, ...]) -> None:
    """ITU-R BT.601-7, table 3, in 8 bits: the colors of a bar chart."""
    y, cb, cr = (bytes([value]) for value in yuv_)
    pictures = {
        PictureFormat.I420: y * 4 + cb + cr,
        PictureFormat.NV12: y * 4 + cb + cr,
        PictureFormat.NV21: y * 4 + cr + cb,
        PictureFormat.YUYV: (y + cb + y + cr) * 2,
        PictureFormat.UYVY: (cb + y + cr + y) * 2,
        PictureFormat.BGRA8: bytes([*rgb[::-1], 7]) * 4,
    }
    for layout, data in pictures.items():
        image = shown(Picture(data, layout, 2, 2))
        assert np.abs(image.astype(int) - rgb).max() <= 2, layout


@pytest.mark.parametrize("padding", [0, 13])
def test_bgra_drops_its_fourth_byte(padding: int) -> None:
    pixels = np.dstack(
        [scene()[..., ::-1], np.arange(WIDTH, dtype=np.uint8)[None].repeat(HEIGHT, 0)]
    )
    stride = 4 * WIDTH + padding
    data = padded(pixels.reshape(HEIGHT, 4 * WIDTH), stride, HEIGHT)
    np.testing.assert_array_equal(
        shown(Picture(data, PictureFormat.BGRA8, WIDTH, HEIGHT, stride)), scene()
    )


def test_fields_of_planes_are_ignored_for_other_layouts() -> None:
    picture = Picture(scene().tobytes(), PictureFormat.RGB8, WIDTH, HEIGHT, 0, 7, 7)
    np.testing.assert_array_equal(shown(picture), scene())


@pytest.mark.parametrize("layout", PLANES)
def test_the_last_row_need_not_be_padded(layout: PictureFormat) -> None:
    data = in_planes(layout, 192, 96, 112)
    last = (112 - 96) // 2 * (96 if layout is PictureFormat.I420 else 192)
    last += 16 if layout is PictureFormat.I420 else 32
    shown(Picture(data[:-last], layout, WIDTH, HEIGHT, 192, plane_height_px=112))
    with pytest.raises(ImageLayout):
        read_header(
            Picture(data[: -last - 1], layout, WIDTH, HEIGHT, 192, plane_height_px=112), LIMITS
        )


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (Picture(bytes(99), PictureFormat.I420, 8, 8), "8x8 I420 .* takes 96 bytes; there are 99"),
        (Picture(bytes(99), PictureFormat.I420, 7, 8), "even width_px and height_px; it is 7x8"),
        (Picture(bytes(99), PictureFormat.NV21, 8, 7), "even width_px and height_px; it is 8x7"),
        (Picture(bytes(99), PictureFormat.YUYV, 7, 8), "even width_px; it is 7x8"),
        (Picture(bytes(99), PictureFormat.UYVY, 8, 8, 15), "stride_bytes is 15, but a row has 16 bytes"),
        (Picture(bytes(99), PictureFormat.I420, 8, 8, 8, 3), "chroma_stride_bytes is 3, but a row of chroma has 4"),
        (Picture(bytes(99), PictureFormat.NV12, 8, 8, 8, 0, 7), "plane_height_px is 7, but height_px is 8"),
        (Picture(bytes(99), PictureFormat.NV12, 8, 8, 8, 0, 65_536), "plane_height_px is 65536; at most"),
        (Picture(bytes(99), PictureFormat.BGRA8, 8, 8), "takes 256 bytes; there are 99"),
        (Picture(bytes(99), PictureFormat.BGRA8, 0, 8), "they are 0 and 8"),
    ],
)  # fmt: skip
def test_a_layout_that_cannot_be_says_what_was_expected(picture: Picture, said: str) -> None:
    with pytest.raises(ImageLayout, match=said):
        read_header(picture, LIMITS)
