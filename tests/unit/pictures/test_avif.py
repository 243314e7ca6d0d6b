"""An AVIF's still picture is read; its size is that of the data by which the codec allocates."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from facewire_server.errors import InvalidImage, TooManyPixels, UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits
from fakes.odd_pictures import encoded, exif_of, scene

LIMITS = PictureLimits(1 << 24, 1_000_000)


def as_pillow_reads(data: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


@pytest.mark.parametrize(
    "options",
    [{}, {"quality": 100}, {"subsampling": "4:4:4"}, {"subsampling": "4:0:0"}, {"speed": 10}],
)
@pytest.mark.parametrize("size", [(160, 96), (33, 17)])
def test_an_avif_is_read_as_another_reader_does(options, size, shown) -> None:
    data = encoded(scene(*size), "AVIF", **options)
    header = read_header(Picture(data, PictureFormat.AVIF), LIMITS)
    assert (header.width_px, header.height_px) == size
    assert np.abs(shown(data).astype(int) - as_pillow_reads(data)).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_and_mirrors_are_obeyed(orientation: int, shown) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(scene(), "AVIF", quality=95, exif=exif)
    assert read_header(Picture(data), LIMITS).orientation == orientation
    assert np.abs(shown(data).astype(int) - as_pillow_reads(data)).mean() < 3


def test_alpha_and_what_applications_add_are_dropped(shown) -> None:
    clear = np.dstack([scene(), np.full((96, 160), 200, np.uint8)])
    data = encoded(
        clear,
        "AVIF",
        quality=95,
        exif=b"Exif\0\0" + exif_of(1),
        icc_profile=bytes(500),
        xmp=b"<x/>",
    )
    header = read_header(Picture(data), LIMITS)
    assert not any(word in header.file for word in (b"Exif", b"auxl", b"prof", b"<x/>"))
    assert np.abs(shown(data).astype(int) - scene()).mean() < 4


def test_the_first_picture_of_a_sequence_is_shown(shown) -> None:
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(scene(), 40 * index, 1)) for index in range(3)]
    frames[0].save(file, "AVIF", save_all=True, append_images=frames[1:], quality=95)
    assert np.abs(shown(file.getvalue()).astype(int) - scene()).mean() < 4


def with_size(data: bytes, width: int, height: int) -> bytes:
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def test_a_size_over_the_limit_is_refused_before_anything_is_decoded() -> None:
    with pytest.raises(TooManyPixels, match="60000x60000"):
        read_header(Picture(with_size(encoded(scene(), "AVIF"), 60_000, 60_000)), LIMITS)


@pytest.mark.parametrize("size", [(160, 97), (80, 48), (320, 192)])
def test_boxes_that_contradict_the_codec_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableImage, match="another size"):
        read_header(Picture(with_size(encoded(scene(), "AVIF"), *size)), LIMITS)


def test_a_codec_that_would_allocate_more_than_the_boxes_say_is_refused() -> None:
    """The sequence header is the first thing in the data that the codec sees."""
    large = encoded(np.zeros((2000, 2000, 3), np.uint8), "AVIF")
    with pytest.raises(TooManyPixels, match="2000x2000"):
        read_header(Picture(with_size(large, 160, 96)), LIMITS)


def test_frames_behind_the_first_are_dropped(shown) -> None:
    """A unit of three bytes can show a frame again (AV1, section 5.9.2), as often as the file has room."""
    data = encoded(scene(), "AVIF", quality=95)
    again = b"\x1a\x01\x80"  # a frame header: show_existing_frame
    length = int.from_bytes(data[(at := data.index(b"iloc") + 22) : at + 4], "big")
    assert data[-length:] == data[data.index(b"mdat") + 4 :]
    more = data[:at] + struct.pack(">I", length + 3 * 10_000) + data[at + 4 :] + again * 10_000
    header = read_header(Picture(more), LIMITS)
    assert len(header.file) < len(data) + 100
    np.testing.assert_array_equal(shown(more), shown(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.replace(b"av01Color", b"gridColor"), "put together of several tiles"),
        (lambda data: data.replace(b"av01Color", b"hvc1Color"), "items that are no AV1"),
        (lambda data: data.replace(b"meta", b"free", 1), "no still picture"),
        (lambda data: data.replace(b"pitm", b"free"), "no still picture"),
        (lambda data: data.replace(b"av1C", b"free"), "no header"),
        (lambda data: data.replace(b"ispe", b"free"), "no header"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data[:100], "no still picture|cut short"),
        (lambda data: data[:32] + b"\xff\xff\xff\xff" + data[36:], "cut short"),
    ],
)
def test_what_is_not_one_picture_in_one_piece_is_refused(
    change: Callable[[bytes], bytes], said: str
) -> None:
    data = encoded(scene(), "AVIF")
    assert change(data) != data
    with pytest.raises(InvalidImage, match=said):
        read_header(Picture(change(data)), LIMITS)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def with_more_in(data: bytes, kind: bytes, more: bytes) -> bytes:
    """The file with boxes behind those of one of its boxes within `meta`, or behind that itself, and lengths that fit."""
    meta, at = data.index(b"meta") - 4, data.index(kind) - 4
    out = bytearray(data)
    end = at + int.from_bytes(data[at : at + 4], "big")
    for start in {meta, data.index(b"iprp") - 4, at}:
        if start == at or start <= at < start + int.from_bytes(data[start : start + 4], "big"):
            length = int.from_bytes(data[start : start + 4], "big") + len(more)
            out[start : start + 4] = struct.pack(">I", length)
    moved = data.index(b"iloc") + 18  # where the data of the only item begin
    begin = int.from_bytes(data[moved : moved + 4], "big") + len(more)
    out[moved : moved + 4] = struct.pack(">I", begin)
    return bytes(out[:end]) + more + bytes(out[end:])


EMPTY = box(b"free", b"")
OTHERS = box(b"ipma", bytes(4) + struct.pack(">I", 3000) + b"\0\x07\0" * 3000)
"""Properties of other items, by the thousand."""


@pytest.mark.parametrize(
    "added",
    [
        [(b"ipco", EMPTY * 5000)],
        [(b"ipco", EMPTY * 2500), (b"iprp", EMPTY * 2500)],
        [(b"meta", EMPTY * 2500), (b"ipco", EMPTY * 2500)],
    ],
)
def test_the_boxes_of_a_whole_file_are_counted(added: list[tuple[bytes, bytes]]) -> None:
    data = encoded(scene(), "AVIF")
    for kind, more in added:
        data = with_more_in(data, kind, more)
    with pytest.raises(UndecodableImage, match="4096 boxes"):
        read_header(Picture(data), LIMITS)


def test_items_that_many_lists_hold_are_counted() -> None:
    data = encoded(scene(), "AVIF").replace(b"ipma", b"free")
    assert data != encoded(scene(), "AVIF")
    with pytest.raises(UndecodableImage, match="4096 boxes"):
        read_header(Picture(with_more_in(data, b"iprp", OTHERS * 2)), LIMITS)


def test_the_first_list_of_properties_counts(shown) -> None:
    data = encoded(scene(), "AVIF")
    more = with_more_in(data, b"iprp", box(b"ipco", EMPTY * 4000) * 40 + OTHERS)
    np.testing.assert_array_equal(shown(more), shown(data))
