"""A JPEG's size is read where a decoder finds it, and nowhere else."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facewire_server.errors import InvalidImage, TooManyPixels, UndecodableImage
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits

LIMITS = PictureLimits(max_frame_bytes=1 << 20, max_pixels=1_000_000)
BEFORE_THE_FRAME = [0xC4, 0xCC, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE]
FRAMES = [marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC)]


def jpeg(size: tuple[int, int] = (37, 21)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (120, 80, 40)).save(file, "JPEG")
    return file.getvalue()


def segments_of(data: bytes) -> list[bytes]:
    """The segments of a JPEG from behind its first marker; the last one holds the picture's data."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found.append(data[at:end])
        at = end
    return [*found, data[at:]]


@pytest.mark.parametrize("marker", BEFORE_THE_FRAME)
@pytest.mark.parametrize("length", [2, 300])
def test_a_segment_before_the_frame_is_passed_over(marker: int, length: int) -> None:
    segment = bytes([0xFF, marker]) + length.to_bytes(2, "big") + bytes(length - 2)
    data = b"\xff\xd8" + segment + jpeg()[2:]
    header = read_header(Picture(data), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fill_bytes_may_precede_a_marker(count: int) -> None:
    header = read_header(Picture(b"\xff\xd8" + b"\xff" * count + jpeg()[2:]), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)


@pytest.mark.parametrize("marker", FRAMES)
def test_a_frame_of_any_process_says_the_size_or_is_named(marker: int) -> None:
    frame = (
        bytes([0xFF, marker])
        + b"\x00\x0b\x08"
        + (2100).to_bytes(2, "big")
        + (3700).to_bytes(2, "big")
        + b"\x01\x01\x11\x00"
    )
    if marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA):
        with pytest.raises(TooManyPixels, match="3700x2100"):
            read_header(Picture(b"\xff\xd8" + frame), LIMITS)
    else:
        with pytest.raises(UndecodableImage, match="is not read"):
            read_header(Picture(b"\xff\xd8" + frame), LIMITS)


@pytest.mark.parametrize("bits", [4, 12, 16])
def test_other_samples_than_of_8_bits_are_named(bits: int) -> None:
    data = bytearray(jpeg())
    data[data.index(b"\xff\xc0") + 4] = bits
    with pytest.raises(UndecodableImage, match=f"{bits} bits a sample, which is not read"):
        read_header(Picture(bytes(data)), LIMITS)


@pytest.mark.parametrize("length", [0, 1])
def test_a_segment_shorter_than_its_own_length_is_refused(length: int) -> None:
    data = b"\xff\xd8\xff\xe1" + length.to_bytes(2, "big") + jpeg()[2:]
    with pytest.raises(UndecodableImage, match="shorter than its length"):
        read_header(Picture(data), LIMITS)


STRAY = [b"\0", b"\0\0", b"\xff\0", b"\xff\xd3", b"\xff\x01", b"\x12\xff\xff\0", bytes(300)]


@pytest.mark.parametrize("stray", STRAY)
def test_stray_bytes_between_segments_are_passed_over_as_libjpeg_does(stray: bytes) -> None:
    segments = segments_of(jpeg())
    expected = decode(Picture(jpeg()), read_header(Picture(jpeg()), LIMITS))
    for place in range(1, len(segments)):
        data = b"\xff\xd8" + b"".join(segments[:place]) + stray + b"".join(segments[place:])
        picture = Picture(data)
        header = read_header(picture, LIMITS)
        assert header.file == read_header(Picture(jpeg()), LIMITS).file, (
            "a decoder sees no stray byte"
        )
        np.testing.assert_array_equal(decode(picture, header), expected)


def test_a_frame_hidden_between_segments_is_not_passed_over() -> None:
    """Decoders look for a marker there, and would find a picture of another size."""
    small, large = (segments_of(jpeg((side, side))) for side in (16, 900))
    hidden = b"".join(large)
    length = (len(hidden) + 2).to_bytes(2, "big")
    for marker in {*range(0xFF)} - {*BEFORE_THE_FRAME} - {*FRAMES}:
        data = b"\xff\xd8\xff" + bytes([marker]) + length + hidden + b"".join(small)
        try:
            header = read_header(Picture(data), LIMITS)
        except UndecodableImage:
            continue
        assert Image.open(io.BytesIO(header.file)).size == (header.width_px, header.height_px)
        assert decode(Picture(data), header).shape == (header.height_px, header.width_px, 3)


@given(
    parts=st.lists(
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from([*STRAY, b"\xff\xfe\x00\x04ab", b"\xff\xe1\x00\x02", b"\xff"]),
        ),
        max_size=6,
    ),
    places=st.lists(st.integers(1, 10), min_size=6, max_size=6),
)
@settings(max_examples=300)
def test_the_size_is_the_decoders_whatever_lies_between_segments(
    parts: list[bytes], places: list[int]
) -> None:
    segments = segments_of(jpeg())
    for part, place in zip(parts, places, strict=False):
        segments.insert(place % len(segments), part)
    data = b"\xff\xd8" + b"".join(segments)
    try:
        header = read_header(Picture(data), LIMITS)
    except InvalidImage:
        return
    # The file as it came, not as it was cut: libjpeg itself finds the same frame in it.
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is not None:
        assert image.shape[:2] == (header.height_px, header.width_px)
        np.testing.assert_array_equal(decode(Picture(data), header), image)


@pytest.mark.parametrize("filling", [b"\xff\xfe\x00\x02", b"\xff\xe1\x00\x02", b"\xff\xd0"])
def test_a_header_that_goes_on_for_ever_is_not_walked_through(filling: bytes) -> None:
    data = b"\xff\xd8" + filling * (200_000 // len(filling)) + jpeg()[2:]
    with pytest.raises(UndecodableImage, match="4096 segments"):
        read_header(Picture(data), LIMITS)


def test_a_header_of_hundreds_of_segments_is_read() -> None:
    data = b"\xff\xd8" + (b"\xff\xe2\x04\x00" + bytes(1022)) * 500
    header = read_header(Picture(data + jpeg()[2:]), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)
