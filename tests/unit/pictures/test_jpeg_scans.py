"""A JPEG's scans are counted before a decoder works through them."""

import io

import numpy as np
import pytest
from PIL import Image

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.pictures.jpeg_scans import MAX_SCANS
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import encoded, jpeg_of_scans, scene

LIMITS = PictureLimits(1 << 24, 50_000_000)


def test_the_most_scans_are_read_and_one_more_is_not(shown) -> None:
    most = jpeg_of_scans(64, 64, MAX_SCANS - 1)
    assert read_header(Picture(most), LIMITS).passes == MAX_SCANS
    assert shown(most).shape == (64, 64, 3)
    with pytest.raises(UndecodableImage, match="more scans than are decoded"):
        read_header(Picture(jpeg_of_scans(64, 64, MAX_SCANS)), LIMITS)


def test_a_large_picture_has_fewer_scans() -> None:
    read_header(Picture(jpeg_of_scans(7000, 7000, 39)), LIMITS)
    with pytest.raises(UndecodableImage, match="2000 megapixels"):
        read_header(Picture(jpeg_of_scans(7000, 7000, 40)), LIMITS)


def test_a_scan_that_refines_counts_four_times(shown) -> None:
    """A decoder looks at each coefficient, also if the scan has no data."""
    assert shown(jpeg_of_scans(64, 64, 29, refining=True)).shape == (64, 64, 3)
    with pytest.raises(UndecodableImage, match="more scans than are decoded"):
        read_header(Picture(jpeg_of_scans(64, 64, 31, refining=True)), LIMITS)


def test_an_arithmetic_scan_counts_twice() -> None:
    def arithmetic(scans: int) -> bytes:
        return jpeg_of_scans(64, 64, scans).replace(b"\xff\xc2", b"\xff\xca")

    assert read_header(Picture(arithmetic(MAX_SCANS // 2 - 1)), LIMITS).passes == MAX_SCANS // 2
    with pytest.raises(UndecodableImage, match="more scans than are decoded"):
        read_header(Picture(arithmetic(MAX_SCANS // 2)), LIMITS)


def test_a_picture_without_its_end_has_fewer_scans() -> None:
    """It is decoded twice more, to learn how much is missing."""
    most = jpeg_of_scans(64, 64, MAX_SCANS // 3 - 1, end=False)
    assert read_header(Picture(most), LIMITS).passes == MAX_SCANS // 3
    with pytest.raises(UndecodableImage, match="more scans than are decoded"):
        read_header(Picture(jpeg_of_scans(64, 64, MAX_SCANS // 3, end=False)), LIMITS)


@pytest.mark.parametrize("size", [(1920, 1080), (8000, 6000)])
def test_progressive_photos_of_encoders_are_read(size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, (9, 99, 200)).save(file, "JPEG", progressive=True)
    header = read_header(Picture(file.getvalue()), LIMITS)
    assert 6 <= header.passes <= 12


def test_scans_in_a_thumbnail_do_not_count(shown) -> None:
    """EXIF holds a JPEG of its own, which no decoder works through."""
    thumbnail = jpeg_of_scans(64, 64, 2000)
    segment = b"\xff\xe1" + (len(thumbnail) + 8).to_bytes(2, "big") + b"Exif\0\0" + thumbnail
    data = encoded(scene(), "JPEG")
    behind = data + thumbnail  # a second picture, as in an MPO
    np.testing.assert_array_equal(shown(data[:2] + segment + behind[2:]), shown(data))
    assert read_header(Picture(data[:2] + segment + behind[2:]), LIMITS).passes == 1


def test_a_scan_before_its_frame_is_refused() -> None:
    data = jpeg_of_scans(64, 64, 1)
    frame, scan = data.index(b"\xff\xc2"), data.index(b"\xff\xda")
    with pytest.raises(UndecodableImage, match="no frame header"):
        read_header(Picture(data[:frame] + data[scan:]), LIMITS)


def test_two_frames_are_refused() -> None:
    data = jpeg_of_scans(64, 64, 1)
    frame = data.index(b"\xff\xc2")
    with pytest.raises(UndecodableImage, match="several frames"):
        read_header(Picture(data[: frame + 13] + data[frame:]), LIMITS)


def test_a_height_that_comes_late_is_refused() -> None:
    """T.81, B.2.5: zero lines, and a DNL segment behind the first scan. libjpeg does not read it."""
    data = bytearray(encoded(scene(), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 2] = b"\0\0"
    with pytest.raises(UndecodableImage, match="no pixels"):
        read_header(Picture(bytes(data)), LIMITS)


def test_an_ordinary_profile_is_passed_over(shown) -> None:
    data = encoded(scene(), "JPEG")
    profiled = encoded(scene(), "JPEG", icc_profile=bytes(3000) + "sRGB".encode("utf-16-be"))
    assert len(profiled) > len(data) + 3000
    np.testing.assert_array_equal(shown(profiled), shown(data))
    assert len(read_header(Picture(profiled), LIMITS).file) == len(data)


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xC8, 0xF0, 0xD8])
def test_a_marker_that_cannot_stand_between_segments_is_damage(marker: int) -> None:
    data = encoded(scene(), "JPEG")
    with pytest.raises(UndecodableImage, match=r"damaged|several"):
        read_header(Picture(data[:2] + bytes([0xFF, marker, 0, 4, 0, 0]) + data[2:]), LIMITS)
