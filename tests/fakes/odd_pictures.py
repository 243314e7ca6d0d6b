"""Builds pictures that no encoder writes: files that lie, and files in forms that only some programs write."""

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "STORED",
    "bmp_file",
    "encoded",
    "exif_of",
    "gif_file",
    "jpeg_of_scans",
    "png_chunk",
    "png_chunks_of",
    "png_file",
    "scene",
]


STORED: Mapping[int, Callable[[Any], Any]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, 1),
    7: lambda image: image[::-1, ::-1].transpose(1, 0, 2),
    8: lambda image: np.rot90(image, -1),
}
"""Upright pixels to stored ones, for each EXIF orientation (EXIF 3.0, 4.6.5.1.6)."""


def scene(width: int = 160, height: int = 96) -> NDArray[np.uint8]:
    """(h, w, 3) uint8: smooth, and different in every corner and channel, so that a turn shows."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [
        x * 255 // (width - 1),
        y * 255 // (height - 1),
        (x + y) * 255 // (width + height - 2),
    ]
    return np.stack(channels, -1).astype(np.uint8)


def encoded(image: NDArray[np.integer], kind: str, **options: Any) -> bytes:
    """The file that Pillow writes of an array."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, kind, **options)
    return file.getvalue()


def exif_of(orientation: int) -> bytes:
    """EXIF of one field, without a prefix."""
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """The kind and the content of each chunk of a PNG."""
    found, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png_file(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def jpeg_of_scans(
    width: int, height: int, scans: int, *, refining: bool = False, end: bool = True
) -> bytes:
    """A gray progressive JPEG: a scan of zeros, one for the coefficients, and then one tiny scan `scans` times.

    Args:
        width, height: of the picture.
        scans: of some bytes each, in the last form.
        refining: the tiny scans bring a bit of all coefficients, in a run over all blocks: a decoder looks at each coefficient.
        end: False leaves the end out, so the picture is decoded again.
    """

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    def scan(first: int, last: int, bits: int = 0) -> bytes:
        return segment(0xDA, bytes([1, 1, 0, first, last, bits])) + (
            bytes(40) if refining else b"\0"
        )

    def one_code(symbol: int) -> bytes:
        return bytes([1] + [0] * 15 + [symbol])  # a single Huffman code, of one bit

    head = (
        segment(0xDB, b"\0" + bytes([1] * 64))
        + segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0")
        + segment(0xC4, b"\0" + one_code(0))
        + segment(0xC4, b"\x10" + one_code(0xE0 if refining else 0))
    )
    tiny = scan(1, 63, 1) + scan(1, 63, 0x10) * scans if refining else scan(1, 63) * scans
    return b"\xff\xd8" + head + scan(0, 0) + tiny + (b"\xff\xd9" if end else b"")


def gif_file(
    screen: tuple[int, int],
    frame: tuple[int, int, int, int],
    codes: bytes,
    *,
    code_bits: int = 8,
    background: int = 0,
    before: bytes = b"",
) -> bytes:
    """A GIF with 256 gray colors and one picture: left, top, width, height."""
    blocks = b"".join(
        bytes([len(codes[at : at + 255])]) + codes[at : at + 255]
        for at in range(0, len(codes), 255)
    )
    colors = bytes(value for value in range(256) for _ in range(3))
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", *screen, 0xF7, background, 0)
        + colors
        + before
        + struct.pack("<BHHHHB", 0x2C, *frame, 0)
        + bytes([code_bits])
        + blocks
        + b"\0;"
    )


def bmp_file(
    width: int,
    height: int,
    bits: int,
    pixels: bytes,
    *,
    compression: int = 0,
    masks: Sequence[int] = (),
    header_bytes: int = 40,
    colors: bytes = b"",
) -> bytes:
    """A BMP of any header; masks lie behind the first 40 bytes of it, within the header or behind it."""
    info = struct.pack(
        "<IiiHHIIiiII",
        header_bytes,
        width,
        height,
        1,
        bits,
        compression,
        len(pixels),
        0,
        0,
        len(colors) // 4,
        0,
    )
    info += b"".join(struct.pack("<I", mask) for mask in masks)
    info += bytes(max(0, header_bytes - len(info))) + colors
    return (
        b"BM"
        + struct.pack("<IHHI", 14 + len(info) + len(pixels), 0, 0, 14 + len(info))
        + info
        + pixels
    )
