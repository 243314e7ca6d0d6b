"""A PNG's chunks are held against the file, and a decoder gets those of the still picture only."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.pictures.png_pixels import with_inflated_pixels
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import encoded, png_chunk, png_chunks_of, png_file, scene

LIMITS = PictureLimits(1 << 24, 50_000_000)
IHDR = (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))


@pytest.mark.parametrize("announced", [1, 64 << 20, 1 << 30, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt", b"iCCP", b"zzZz"])
def test_a_chunk_longer_than_its_file_is_refused(announced: int, kind: bytes) -> None:
    data = png_file([IHDR]) + struct.pack(">I", announced) + kind
    with pytest.raises(UndecodableImage, match="PNG picture is cut short"):
        read_header(Picture(data), LIMITS)


def test_a_decoder_gets_no_chunk_that_the_still_picture_does_not_need(shown) -> None:
    plain = png_chunks_of(encoded(scene(), "PNG"))
    bomb = zlib.compress(bytes(50 << 20), 9)
    extra = [
        (b"iCCP", b"profile\0\0" + bomb),
        (b"zTXt", b"Comment\0\0" + bomb),
        (b"iTXt", b"Comment\0\1\0\0\0" + bomb),
        (b"acTL", struct.pack(">II", 2, 0)),
        (b"gAMA", struct.pack(">I", 1)),
    ]
    data = png_file([plain[0], *extra, *plain[1:-1], (b"fdAT", b"\0\0\0\1" + bomb), plain[-1]])
    header = read_header(Picture(data + b"behind the end"), LIMITS)
    assert {kind for kind, _ in png_chunks_of(header.file)} == {b"IHDR", b"IDAT", b"IEND"}
    np.testing.assert_array_equal(shown(data), scene())


def test_a_file_that_needs_nothing_dropped_is_not_copied() -> None:
    data = encoded(scene(), "PNG")
    assert read_header(Picture(data), LIMITS).file is data


def test_an_animation_shows_its_still_picture(shown) -> None:
    turned = scene()[::-1]
    file = encoded(scene(), "PNG")
    chunks = png_chunks_of(file)
    frame = struct.pack(">IIIIIHHBB", 0, 160, 96, 0, 0, 1, 10, 0, 0)
    pixels = b"".join(
        data for kind, data in png_chunks_of(encoded(turned, "PNG")) if kind == b"IDAT"
    )
    animated = png_file(
        [
            chunks[0],
            (b"acTL", struct.pack(">II", 1, 0)),
            *[chunk for chunk in chunks if chunk[0] == b"IDAT"],
            (b"fcTL", frame),
            (b"fdAT", b"\0\0\0\1" + pixels),
            chunks[-1],
        ]
    )
    np.testing.assert_array_equal(shown(animated), scene())


def test_much_behind_the_last_pixel_is_refused_and_a_little_is_not(shown) -> None:
    """libpng inflates all of it: 2 MB cost 2.5 s of processor."""
    chunks = png_chunks_of(encoded(scene(), "PNG"))
    raw = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    noise = np.random.default_rng(0).bytes(1 << 17)  # more than is inflated unchecked

    def behind(more: bytes) -> bytes:
        return png_file([chunks[0], (b"IDAT", zlib.compress(raw + more)), chunks[-1]])

    np.testing.assert_array_equal(shown(behind(noise)), scene())
    with pytest.raises(UndecodableImage, match="more data than pixels"):
        shown(behind(noise + bytes(1 << 21)))


@pytest.mark.parametrize("passes", [1, 7])
def test_large_pictures_are_inflated_once_and_read_to_the_same_pixels(passes: int, shown) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (210, 190, 3), np.uint8)
    data = encoded(noise, "PNG")
    if passes == 7:
        data = png_file(interlaced(png_chunks_of(data)))
    handed_over = with_inflated_pixels(data)
    assert len(handed_over) > 210 * 190 * 3
    assert handed_over != data
    np.testing.assert_array_equal(shown(data), noise)


@pytest.mark.parametrize("place", [200, 60_000, -30])
def test_a_large_picture_that_is_damaged_is_refused(place: int, shown) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (210, 190, 3), np.uint8)
    data = bytearray(encoded(noise, "PNG"))
    data[place] ^= 0x55
    with pytest.raises(UndecodableImage, match="cut short or damaged"):
        shown(bytes(data))


def test_chunks_without_end_are_not_walked_through() -> None:
    data = png_file([IHDR]) + png_chunk(b"IDAT", b"") * 70_000 + png_chunk(b"IEND", b"")
    with pytest.raises(UndecodableImage, match="more than 65536 chunks"):
        read_header(Picture(data), LIMITS)


@pytest.mark.parametrize("missing", [1, 4, 8, 12])
def test_a_png_without_its_end_is_cut_short(missing: int) -> None:
    with pytest.raises(UndecodableImage, match="cut short"):
        read_header(Picture(encoded(scene(), "PNG")[:-missing]), LIMITS)


def test_apples_own_form_is_named() -> None:
    chunks = png_chunks_of(encoded(scene(), "PNG"))
    with pytest.raises(UndecodableImage, match="CgBI"):
        read_header(Picture(png_file([(b"CgBI", bytes(4)), *chunks])), LIMITS)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("passes", [1, 7])
def test_every_kind_of_pixels_is_read(mode: str, passes: int, shown) -> None:
    """Seven passes are an interlaced picture (Adam7), which no encoder here writes: its rows are laid out by hand."""
    image = Image.fromarray(scene()).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    data = encoded_image(image)
    expected = shown(data)
    if passes == 7:
        chunks = png_chunks_of(data)
        data = png_file(interlaced(chunks))
    np.testing.assert_array_equal(shown(data), expected)


def encoded_image(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def interlaced(chunks: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The same picture in seven passes (PNG 3rd edition, section 8), without filters."""
    header = bytearray(chunks[0][1])
    width, height, bits, color = struct.unpack_from(">IIBB", header)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    raw = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    rows = unfiltered(raw, (width * bits * samples + 7) // 8, max(1, bits * samples // 8), height)
    pixels = np.unpackbits(rows, axis=1)[:, : width * bits * samples].reshape(height, width, -1)
    out = b""
    for top, left, down, right in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
    ):  # fmt: skip
        part = pixels[top::down, left::right]
        for row in part:
            out += b"\0" + np.packbits(row.reshape(-1)).tobytes()
    header[12] = 1
    others = [chunk for chunk in chunks[1:] if chunk[0] != b"IDAT"]
    return [(b"IHDR", bytes(header)), *others[:-1], (b"IDAT", zlib.compress(out)), others[-1]]


def unfiltered(raw: bytes, row_bytes: int, pixel_bytes: int, height: int) -> np.ndarray:
    """The rows of pixels (PNG 3rd edition, section 9)."""
    rows = np.zeros((height + 1, row_bytes + pixel_bytes), np.int64)
    data = np.frombuffer(raw, np.uint8).reshape(height, row_bytes + 1)
    for y in range(height):
        kind, line, above = data[y, 0], rows[y + 1], rows[y]
        for x in range(pixel_bytes, row_bytes + pixel_bytes):
            a, b, c = line[x - pixel_bytes], above[x], above[x - pixel_bytes]
            p = a + b - c
            paeth = min((a, b, c), key=lambda each: abs(p - each))
            guess = (0, a, b, (a + b) // 2, paeth)[kind]
            line[x] = (int(data[y, 1 + x - pixel_bytes]) + guess) & 0xFF
    return rows[1:, pixel_bytes:].astype(np.uint8)
