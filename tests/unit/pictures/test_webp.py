"""A WebP's chunks are held against the file and its canvas, and a decoder gets those of a still picture only."""

import struct

import numpy as np
import pytest

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import encoded, exif_of, scene

LIMITS = PictureLimits(1 << 24, 50_000_000)


def extended(
    *chunks: tuple[bytes, bytes], size: tuple[int, int] = (160, 96), flags: int = 0
) -> bytes:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    body = b""
    for kind, data in ((b"VP8X", struct.pack("<Bxxx", flags) + sides), *chunks):
        body += kind + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def pixels(**options: object) -> tuple[bytes, bytes]:
    simple = encoded(scene(), "WEBP", **options)
    length = int.from_bytes(simple[16:20], "little")
    return simple[12:16], simple[20 : 20 + length]


def test_a_decoder_gets_no_profile_and_no_text(shown) -> None:
    data = extended((b"ICCP", bytes(301)), pixels(lossless=True), (b"XMP ", b"<x/>"), flags=0x24)
    header = read_header(Picture(data), LIMITS)
    assert b"ICCP" not in header.file
    assert b"XMP " not in header.file
    np.testing.assert_array_equal(shown(data), scene())


def test_alpha_is_dropped(shown) -> None:
    alpha = np.full((96, 160, 1), 255, np.uint8)
    alpha[:40] = 0
    data = encoded(np.concatenate([scene(), alpha], -1), "WEBP", quality=95, exact=True)
    assert b"ALPH" in read_header(Picture(data), LIMITS).file
    assert np.abs(shown(data).astype(int) - scene()).mean() < 4


@pytest.mark.parametrize("size", [(161, 96), (160, 97), (7000, 7000)])
def test_a_canvas_of_another_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UndecodableImage, match="another size"):
        read_header(Picture(extended(pixels(), size=size)), LIMITS)


def test_a_chunk_longer_than_its_file_is_refused_unless_it_follows_the_pixels(shown) -> None:
    whole = extended(pixels(lossless=True), (b"EXIF", exif_of(1)))
    lying = bytearray(whole)
    at = whole.index(b"EXIF") + 4
    lying[at : at + 4] = b"\xff\xff\xff\x7f"
    np.testing.assert_array_equal(shown(bytes(lying)), scene())
    at = whole.index(b"VP8L") + 4
    lying[at : at + 4] = b"\xff\xff\xff\x7f"
    with pytest.raises(UndecodableImage, match="cut short"):
        read_header(Picture(bytes(lying)), LIMITS)


def test_a_canvas_without_pixels_is_refused() -> None:
    with pytest.raises(UndecodableImage, match="no pixels"):
        read_header(Picture(extended((b"EXIF", exif_of(1)))), LIMITS)
