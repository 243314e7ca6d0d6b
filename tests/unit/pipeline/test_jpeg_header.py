"""A JPEG's size is read where a decoder finds it, and nowhere else."""

import io

import pytest
from PIL import Image

from facewire_server.errors import UndecodableImage
from facewire_server.pipeline.header import read_header
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
def test_a_frame_of_any_process_says_the_size(marker: int) -> None:
    """A decoder may know processes that another does not; what it would allocate is read of all."""
    frame = (
        bytes([0xFF, marker]) + b"\x00\x11\x08" + (21).to_bytes(2, "big") + (37).to_bytes(2, "big")
    )
    header = read_header(Picture(b"\xff\xd8" + frame), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)


@pytest.mark.parametrize("length", [0, 1])
def test_a_segment_shorter_than_its_own_length_is_refused(length: int) -> None:
    data = b"\xff\xd8\xff\xe1" + length.to_bytes(2, "big") + jpeg()[2:]
    with pytest.raises(UndecodableImage, match="no frame header"):
        read_header(Picture(data), LIMITS)


def test_a_stray_byte_between_segments_is_damage() -> None:
    segments = segments_of(jpeg())
    data = b"\xff\xd8" + segments[0] + b"\x00" + b"".join(segments[1:])
    with pytest.raises(UndecodableImage, match="damaged"):
        read_header(Picture(data), LIMITS)


def test_a_frame_hidden_between_segments_is_not_passed_over() -> None:
    """Decoders look for a marker there, and would find a picture of another size."""
    small, large = (segments_of(jpeg((side, side))) for side in (16, 900))
    hidden = b"".join(large)
    length = (len(hidden) + 2).to_bytes(2, "big")
    for marker in {*range(0xFF)} - {*BEFORE_THE_FRAME} - {*FRAMES}:
        data = b"\xff\xd8\xff" + bytes([marker]) + length + hidden + b"".join(small)
        with pytest.raises(UndecodableImage, match="no frame header"):
            read_header(Picture(data), LIMITS)


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xfe\x00\x02", b"\xff\xe1\x00\x02"])
def test_a_header_that_goes_on_for_ever_is_not_walked_through(filling: bytes) -> None:
    data = b"\xff\xd8" + filling * (200_000 // len(filling)) + jpeg()[2:]
    with pytest.raises(UndecodableImage, match="4096 segments"):
        read_header(Picture(data), LIMITS)


def test_a_header_of_hundreds_of_segments_is_read() -> None:
    data = b"\xff\xd8" + (b"\xff\xe2\x04\x00" + bytes(1022)) * 500
    header = read_header(Picture(data + jpeg()[2:]), LIMITS)
    assert (header.width_px, header.height_px) == (37, 21)
