"""Every kind of picture becomes the same upright RGB pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from facewire_server.errors import InvalidImage, UndecodableImage
from facewire_server.pictures.decode import decode, reduction
from facewire_server.pictures.header import read_header
from facewire_server.types import Header, Picture, PictureFormat, PictureLimits
from fakes.odd_pictures import STORED, encoded, scene

LIMITS = PictureLimits(max_frame_bytes=1 << 24, max_pixels=50_000_000)
EXIF_ORIENTATION = 0x0112


def upright(picture: Picture, reduced_by: int = 1) -> NDArray[np.uint8]:
    return decode(picture, read_header(picture, LIMITS), reduced_by)


@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP"]),
    damage=st.lists(st.tuples(st.integers(2, 700), st.integers(0, 255)), max_size=4),
)
@settings(max_examples=300)
def test_nothing_is_decoded_larger_than_its_header_says(
    kind: str, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(encoded(scene(), kind))
    for place, value in damage:
        data[place % len(data)] = value
    picture = Picture(bytes(data))
    try:
        header = read_header(picture, PictureLimits(1 << 24, 100_000))
        image = decode(picture, header)
    except InvalidImage:
        return
    assert image.shape[0] * image.shape[1] <= header.pixel_count <= 100_000


def test_a_picture_larger_than_its_header_said_is_refused() -> None:
    picture = Picture(encoded(scene(), "JPEG"))
    with pytest.raises(UndecodableImage, match="another size"):
        decode(picture, Header(PictureFormat.JPEG, 16, 16, file=picture.data))


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("reduced_by", [1, 2, 4, 8])
def test_exif_orientation_is_obeyed(orientation: int, reduced_by: int) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    data = encoded(STORED[orientation](scene()), "JPEG", quality=95, exif=exif)
    image = upright(Picture(data), reduced_by)
    expected = cv2.resize(
        scene(), (160 // reduced_by, 96 // reduced_by), interpolation=cv2.INTER_AREA
    )
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 4


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("orientation", [1, 5, 6])
@pytest.mark.parametrize("reduced_by", [1, 4])
def test_a_picture_of_a_turned_camera_is_turned_after_its_own_orientation(
    degrees: int, orientation: int, reduced_by: int
) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    hanging = np.rot90(scene(), degrees // 90)  # counterclockwise
    data = encoded(STORED[orientation](hanging), "JPEG", quality=95, exif=exif)
    image = upright(Picture(data, rotation_degrees=degrees), reduced_by)
    expected = cv2.resize(
        scene(), (160 // reduced_by, 96 // reduced_by), interpolation=cv2.INTER_AREA
    )
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).mean() < 4


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_raw_picture_is_turned_to_the_pixel(degrees: int) -> None:
    hanging = np.rot90(scene(), degrees // 90)
    height, width = hanging.shape[:2]
    raw = Picture(hanging.tobytes(), PictureFormat.RGB8, width, height, rotation_degrees=degrees)
    np.testing.assert_array_equal(upright(raw), scene())


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 98})],
)
def test_the_formats_agree(kind: str, options: dict[str, object]) -> None:
    image = upright(Picture(encoded(scene(), kind, **options)))
    assert np.abs(image.astype(int) - scene()).mean() < 2


def test_alpha_is_dropped_and_orientation_kept() -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    opaque = np.dstack([np.rot90(scene(), 1), np.full((160, 96), 255, np.uint8)])
    image = upright(Picture(encoded(opaque, "PNG", exif=exif)))
    np.testing.assert_array_equal(image, scene())


def test_gray_becomes_three_equal_channels() -> None:
    gray = scene()[..., 0]
    image = upright(Picture(encoded(gray, "PNG")))
    np.testing.assert_array_equal(image, np.dstack([gray] * 3))


def test_sixteen_bits_are_cut_to_eight() -> None:
    deep = scene()[..., 0].astype(np.uint16) * 257
    image = upright(Picture(encoded(deep, "PNG")))
    np.testing.assert_array_equal(image[..., 0], scene()[..., 0])


def padded(rows: NDArray[np.uint8], stride: int) -> bytes:
    return np.pad(rows, ((0, 0), (0, stride - rows.shape[1])), constant_values=99).tobytes()


@pytest.mark.parametrize("padding", [0, 13])
def test_raw_rgb_bgr_and_gray(padding: int) -> None:
    rows = scene().reshape(96, 480)
    stride = 480 + padding
    rgb = Picture(padded(rows, stride), PictureFormat.RGB8, 160, 96, stride)
    np.testing.assert_array_equal(upright(rgb), scene())
    swapped = scene()[..., ::-1].reshape(96, 480)
    bgr = Picture(padded(swapped, stride), PictureFormat.BGR8, 160, 96, stride)
    np.testing.assert_array_equal(upright(bgr), scene())
    gray_rows = scene()[..., 1]
    gray = Picture(padded(gray_rows, 160 + padding), PictureFormat.GRAY8, 160, 96, 160 + padding)
    np.testing.assert_array_equal(upright(gray), np.dstack([gray_rows] * 3))


@pytest.mark.parametrize("padding", [0, 32])
def test_raw_nv12(padding: int) -> None:
    yuv = cv2.cvtColor(scene(), cv2.COLOR_RGB2YUV_I420)
    luma, chroma = yuv[:96], yuv[96:].reshape(2, 48, 80)
    interleaved = np.stack([chroma[0], chroma[1]], -1).reshape(48, 160)
    rows = np.concatenate([luma, interleaved])
    stride = 160 + padding
    image = upright(Picture(padded(rows, stride), PictureFormat.NV12, 160, 96, stride))
    assert np.abs(image.astype(int) - scene()).mean() < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_file_cut_short_is_undecodable(kind: str, keep: float) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)
    data = encoded(noise, kind)
    with pytest.raises(UndecodableImage, match="cut short"):
        upright(Picture(data[: int(len(data) * keep)]))


def test_decoding_shrinks_a_jpeg_no_further_than_is_wanted() -> None:
    header = Header(PictureFormat.JPEG, 8000, 6000)
    assert reduction(header, 640) == reduction(header, 750) == 8
    assert reduction(header, 751) == reduction(header, 1500) == 4
    assert reduction(header, 1501) == reduction(header, 3000) == 2
    assert reduction(header, 3001) == reduction(header, 6001) == 1
    assert reduction(Header(PictureFormat.PNG, 8000, 6000), 640) == 1


def test_a_jpeg_of_several_scans_is_decoded_once() -> None:
    """A decoder works through all of its coefficients at any size, so a reduced picture costs as much as the whole."""
    assert reduction(Header(PictureFormat.JPEG, 8000, 6000, passes=10), 640) == 1
