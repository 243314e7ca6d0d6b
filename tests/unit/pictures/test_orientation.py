"""A picture is turned upright once, however its file says how."""

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from facewire_server.pictures.exif import orientation_of
from facewire_server.pictures.header import read_header
from facewire_server.pictures.upright import upright
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import STORED, encoded, exif_of, png_chunks_of, png_file, scene

PREFIX = b"Exif\0\0"


def png_with(kind: bytes, content: bytes) -> Callable[[np.ndarray], bytes]:
    def written(image: np.ndarray) -> bytes:
        chunks = png_chunks_of(encoded(image, "PNG"))
        return png_file([chunks[0], (kind, content), *chunks[1:]])

    return written


def profile(exif: bytes, name: bytes = b"exif") -> bytes:
    """As ImageMagick writes it: 36 bytes a line."""
    digits = exif.hex().encode()
    lines = b"\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return b"\n" + name + b"\n" + str(len(exif)).rjust(8).encode() + b"\n" + lines + b"\n"


def png_of(*added: tuple[bytes, bytes]) -> bytes:
    chunks = png_chunks_of(encoded(scene(), "PNG"))
    return png_file([chunks[0], *added, *chunks[1:]])


def orientation_in(data: bytes) -> int:
    return read_header(Picture(data), PictureLimits(1 << 24, 1 << 20)).orientation


def webp_with(*exifs: bytes) -> Callable[[np.ndarray], bytes]:
    """Written here: Pillow puts its own prefix before EXIF."""

    def written(image: np.ndarray) -> bytes:
        simple = encoded(image, "WEBP", lossless=True)
        sides = b"".join((side - 1).to_bytes(3, "little") for side in image.shape[1::-1])
        body = b"VP8X" + struct.pack("<IBxxx", 10, 0x08) + sides + simple[12:]
        for exif in exifs:
            body += b"EXIF" + struct.pack("<I", len(exif)) + exif + bytes(len(exif) & 1)
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body

    return written


def jpeg_with(*segments: bytes) -> Callable[[np.ndarray], bytes]:
    def written(image: np.ndarray) -> bytes:
        data = encoded(image, "JPEG", quality=98, subsampling=0)
        added = [b"\xff\xe1" + struct.pack(">H", len(each) + 2) + each for each in segments]
        return data[:2] + b"".join(added) + data[2:]

    return written


WRAPPINGS = {
    "PNG, as the standard has it": lambda exif: png_with(b"eXIf", exif),
    "PNG, with the prefix of JPEG": lambda exif: png_with(b"eXIf", PREFIX + exif),
    "PNG, as a text": lambda exif: png_with(
        b"tEXt", b"Raw profile type exif\0" + profile(PREFIX + exif)
    ),
    "PNG, as a compressed text": lambda exif: png_with(
        b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile(PREFIX + exif))
    ),
    "PNG, as a text of APP1": lambda exif: png_with(
        b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(profile(PREFIX + exif, b"APP1"))
    ),
    "WebP, as the standard has it": webp_with,
    "WebP, with the prefix of JPEG": lambda exif: webp_with(PREFIX + exif),
    "JPEG": lambda exif: jpeg_with(PREFIX + exif),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_picture_is_turned_upright_once(wrapping: str, orientation: int, shown) -> None:
    data = WRAPPINGS[wrapping](exif_of(orientation))(STORED[orientation](scene()))
    image = shown(data)
    assert image.shape == scene().shape
    assert np.abs(image.astype(int) - scene()).max() <= (4 if wrapping == "JPEG" else 0)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_decoder_sees_nothing_that_it_could_turn_by(wrapping: str) -> None:
    data = WRAPPINGS[wrapping](exif_of(6))(scene())
    header = read_header(Picture(data), PictureLimits(1 << 24, 1 << 20))
    assert header.orientation == 6
    assert not any(word in header.file for word in (b"Exif", b"eXIf", b"EXIF", b"profile"))


def test_the_chunk_of_the_standard_counts_before_a_text(shown) -> None:
    chunks = png_chunks_of(encoded(STORED[8](scene()), "PNG"))
    text = (b"tEXt", b"Raw profile type exif\0" + profile(exif_of(3)))
    for order in ([text, (b"eXIf", exif_of(8))], [(b"eXIf", exif_of(8)), text]):
        np.testing.assert_array_equal(shown(png_file([chunks[0], *order, *chunks[1:]])), scene())


def test_a_profile_is_inflated_to_a_bound() -> None:
    bomb = zlib.compress(b"\nexif\n 100\n" + b"4" * (64 << 20), 9)
    assert orientation_in(png_of((b"zTXt", b"Raw profile type exif\0\0" + bomb))) == 1


FIRST_OF = {
    "PNG": lambda first, second: png_of((b"eXIf", first), (b"eXIf", second)),
    "WebP": lambda first, second: webp_with(first, second)(scene()),
    "JPEG": lambda first, second: jpeg_with(PREFIX + first, PREFIX + second)(scene()),
}


@pytest.mark.parametrize("kind", FIRST_OF)
def test_the_first_exif_that_can_be_read_counts(kind: str) -> None:
    """A part that only begins like EXIF does not hide a later good one."""
    assert orientation_in(FIRST_OF[kind](exif_of(6), exif_of(8))) == 6
    assert orientation_in(FIRST_OF[kind](b"", exif_of(8))) == 8
    assert orientation_in(FIRST_OF[kind](b"no directory", exif_of(8))) == 8


def test_the_first_profile_counts_whatever_it_says() -> None:
    texts = [(b"tEXt", b"Raw profile type exif\0" + profile(exif_of(each))) for each in (1, 6)]
    assert orientation_in(png_of((b"tEXt", b"Software\0x"), *texts[::-1])) == 6
    assert orientation_in(png_of(*texts)) == 1


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"MM",
        exif_of(0),
        exif_of(9),
        b"XX" + exif_of(6)[2:],
        exif_of(6)[:-7],
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"II*\0\x08\0\0\0" + b"\xff\xff" + bytes(12) * 600 + exif_of(6)[10:],
    ],
)
def test_exif_that_says_nothing_leaves_a_picture_as_it_is(exif: bytes) -> None:
    assert orientation_of(exif) == 1


def test_both_orders_of_bytes_and_both_widths_are_read() -> None:
    assert orientation_of(b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0") == 6
    assert orientation_of(b"II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0") == 6


def test_a_picture_that_is_stored_upright_is_not_copied() -> None:
    image = scene()
    assert upright(image, 1) is image
