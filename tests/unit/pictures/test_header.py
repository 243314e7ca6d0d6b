"""The size of a picture is known, and held against the limits, before anything is allocated."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facewire_server.errors import (
    EmptyImage,
    ImageLayout,
    InvalidImage,
    TooManyBytes,
    TooManyPixels,
    UndecodableImage,
)
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits

LIMITS = PictureLimits(max_frame_bytes=1 << 20, max_pixels=1_000_000)


def encoded(kind: str, size: tuple[int, int] = (37, 21), **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (120, 80, 40)).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"comment": b"\xff\xc0" * 100}),
        ("PNG", {}),
        ("BMP", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
    ],
)
def test_the_size_is_what_another_reader_says(kind: str, options: dict[str, Any]) -> None:
    data = encoded(kind, **options)
    header = read_header(Picture(data), LIMITS)
    assert (header.width_px, header.height_px) == Image.open(io.BytesIO(data)).size
    assert header.format.value.upper() == kind


@pytest.mark.parametrize(
    ("kind", "options", "most_px"),
    [
        ("JPEG", {}, 65_500),
        ("PNG", {}, 70_001),
        ("BMP", {}, 70_001),
        ("WEBP", {}, 16_383),
        ("WEBP", {"lossless": True}, 16_383),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}, 16_383),
    ],
)
def test_a_long_side_is_read_to_its_last_bit(
    kind: str, options: dict[str, object], most_px: int
) -> None:
    for size in ((most_px, 2), (2, most_px)):
        header = read_header(Picture(encoded(kind, size, **options)), LIMITS)
        assert (header.width_px, header.height_px) == size


@pytest.mark.parametrize("size", [(1 << 24, 300), (300, 1 << 24)])
def test_a_canvas_of_24_bits_is_read_to_its_last_bit(size: tuple[int, int]) -> None:
    """Of an extended WebP, whose canvas a decoder allocates."""
    data = bytearray(encoded("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    assert data[12:16] == b"VP8X"
    data[24:30] = b"".join((side - 1).to_bytes(3, "little") for side in size)
    with pytest.raises(TooManyPixels, match="x".join(map(str, size))):
        read_header(Picture(bytes(data)), LIMITS)


def test_what_a_decoder_scales_up_is_not_part_of_a_webp_size() -> None:
    """Two bits above each side of a lossy WebP ask a player to enlarge it (RFC 9649, section 2.5)."""
    data = bytearray(encoded("WEBP"))
    data[27] |= 0xC0
    data[29] |= 0xC0
    header = read_header(Picture(bytes(data)), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)


def test_a_bmp_whose_top_row_comes_first_has_the_same_size() -> None:
    data = bytearray(encoded("BMP"))
    data[22:26] = (-21).to_bytes(4, "little", signed=True)
    header = read_header(Picture(bytes(data)), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)


@pytest.mark.parametrize(
    ("kind", "place", "bytes_", "reason"),
    [
        ("BMP", 18, (-37).to_bytes(4, "little", signed=True), "no pixels"),
        ("BMP", 14, (39).to_bytes(4, "little"), "unsupported header"),
        ("PNG", 16, bytes(4), "no pixels"),
        ("PNG", 20, bytes(4), "no pixels"),
        ("PNG", 12, b"IDAT", "no header"),
        ("WEBP", 12, b"ALPH", "no header"),
    ],
)
def test_a_header_that_no_decoder_may_see_is_refused(
    kind: str, place: int, bytes_: bytes, reason: str
) -> None:
    data = bytearray(encoded(kind))
    data[place : place + len(bytes_)] = bytes_
    with pytest.raises(UndecodableImage, match=reason):
        read_header(Picture(bytes(data)), LIMITS)


def test_a_webp_lies_within_its_bytes_to_the_last_one() -> None:
    data = encoded("WEBP")
    read_header(Picture(data), LIMITS)
    with pytest.raises(UndecodableImage, match="cut short"):
        read_header(Picture(data[:-1]), LIMITS)


def test_a_limit_is_accepted_at_its_number() -> None:
    data = encoded("PNG")
    picture, pixels = Picture(data), 37 * 21
    read_header(picture, PictureLimits(len(data), pixels))
    with pytest.raises(TooManyBytes):
        read_header(picture, PictureLimits(len(data) - 1, pixels))
    with pytest.raises(TooManyPixels):
        read_header(picture, PictureLimits(len(data), pixels - 1))


def test_a_bomb_is_refused_by_its_header() -> None:
    data = bytearray(encoded("PNG"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(TooManyPixels, match="60000x60000"):
        read_header(Picture(bytes(data)), LIMITS)


def test_nothing_is_a_picture_of_no_bytes() -> None:
    with pytest.raises(EmptyImage):
        read_header(Picture(b""), LIMITS)


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(TooManyBytes):
        read_header(Picture(b"\xff\xd8\xff" + bytes(1 << 20)), LIMITS)


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"RIFF\x10\0\0\0WAVEfmt ", b"FORM\x10\0\0\0WEBPVP8L"]
)
def test_other_files_are_not_pictures(data: bytes) -> None:
    with pytest.raises(UndecodableImage, match="neither"):
        read_header(Picture(data), LIMITS)


def test_a_format_that_was_named_must_be_the_one_that_came() -> None:
    with pytest.raises(UndecodableImage, match="declared as PNG"):
        read_header(Picture(encoded("JPEG"), PictureFormat.PNG), LIMITS)


def test_an_animation_is_refused() -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in (0, 255)]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(UndecodableImage, match="animation"):
        read_header(Picture(file.getvalue()), LIMITS)


@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP"]), keep=st.floats(0, 1), noise=st.binary()
)
def test_damage_is_told_and_never_anything_else(kind: str, keep: float, noise: bytes) -> None:
    data = encoded(kind)
    cut = data[: int(len(data) * keep)] + noise
    try:
        header = read_header(Picture(cut), LIMITS)
    except InvalidImage:
        return
    assert header.pixel_count > 0


@pytest.mark.parametrize(
    ("layout", "width", "height", "stride", "length"),
    [
        (PictureFormat.RGB8, 5, 3, 0, 45),
        (PictureFormat.BGR8, 5, 3, 16, 48),
        (PictureFormat.BGR8, 5, 3, 16, 47),  # the last row ends with its pixels
        (PictureFormat.GRAY8, 5, 3, 0, 15),
        (PictureFormat.GRAY8, 5, 3, 8, 24),
        (PictureFormat.GRAY8, 65_535, 1, 0, 65_535),
        (PictureFormat.GRAY8, 1, 65_535, 0, 65_535),
        (PictureFormat.NV12, 6, 4, 0, 36),
        (PictureFormat.NV12, 6, 4, 8, 48),
    ],
)
def test_a_raw_picture_lies_as_it_says(
    layout: PictureFormat, width: int, height: int, stride: int, length: int
) -> None:
    header = read_header(Picture(bytes(length), layout, width, height, stride), LIMITS)
    assert (header.width_px, header.height_px) == (width, height)


@pytest.mark.parametrize(
    ("layout", "width", "height", "stride", "length"),
    [
        (PictureFormat.RGB8, 5, 3, 0, 44),
        (PictureFormat.RGB8, 5, 3, 0, 46),
        (PictureFormat.RGB8, 5, 3, 14, 45),
        (PictureFormat.RGB8, 5, 3, 16, 46),  # a byte less than its last pixel
        (PictureFormat.RGB8, 5, 3, 16, 49),  # a byte more than its rows
        (PictureFormat.GRAY8, 65_536, 1, 0, 65_536),
        (PictureFormat.GRAY8, 1, 65_536, 0, 65_536),
        (PictureFormat.RGB8, 0, 3, 0, 45),
        (PictureFormat.RGB8, 5, 0, 0, 45),
        (PictureFormat.RGB8, 1 << 31, 1 << 31, 0, 45),
        (PictureFormat.NV12, 5, 4, 0, 30),
        (PictureFormat.NV12, 6, 3, 0, 27),
    ],
)
def test_a_raw_picture_that_contradicts_itself_is_refused(
    layout: PictureFormat, width: int, height: int, stride: int, length: int
) -> None:
    with pytest.raises(ImageLayout):
        read_header(Picture(bytes(length), layout, width, height, stride), LIMITS)
