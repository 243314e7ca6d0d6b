"""Reads the size of a picture from its first bytes, before anything is allocated for it.

A file of a few kilobytes can declare a picture of gigabytes (a decompression bomb), and decoders
allocate what a file declares. So the size is read and checked here before a decoder sees the file.

Sources: ITU-T T.81 annex B (JPEG), W3C PNG 3rd edition section 11.2.1, RFC 9649 (WebP),
Microsoft's BITMAPINFOHEADER (BMP).
"""

import struct
from typing import Final

from facewire_server.errors import (
    EmptyImage,
    ImageLayout,
    TooManyBytes,
    TooManyPixels,
    UndecodableImage,
)
from facewire_server.types import Header, Picture, PictureFormat, PictureLimits

__all__ = ["read_header"]

_BYTES_PER_PIXEL: Final = {PictureFormat.RGB8: 3, PictureFormat.BGR8: 3, PictureFormat.GRAY8: 1}
"""Bytes of a pixel, for raw formats with one plane."""

_MAX_SIDE_PX: Final = 65_535
"""Longest side of a raw picture: the most that a JPEG can have."""

_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC), which share their range (T.81, table B.1)."""

_SEGMENT: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE})
"""Markers of segments that may precede the frame: tables, comments, and applications' data (T.81, B.2.4)."""

_MAX_SEGMENTS: Final = 4096
"""Segments of a JPEG before its frame. Chosen, not measured: a color profile and metadata of many MiB have hundreds. Python reads
a thousand in a millisecond, during which the event loop serves no other client."""


def read_header(picture: Picture, limits: PictureLimits) -> Header:
    """Reads a picture's size and checks it against the limits.

    Raises:
        EmptyImage: no bytes.
        TooManyBytes, TooManyPixels: over a limit.
        UndecodableImage: not a picture of a known format, or not of its declared format.
        ImageLayout: a raw picture whose size, stride and bytes disagree.
    """
    if not picture.data:
        raise EmptyImage("the picture has no bytes")
    if len(picture.data) > limits.max_frame_bytes:
        raise TooManyBytes(
            f"the picture has {len(picture.data)} bytes; at most {limits.max_frame_bytes} are accepted"
        )
    if picture.format in (*_BYTES_PER_PIXEL, PictureFormat.NV12):
        header = _raw(picture)
    else:
        header = _encoded(picture)
    if header.pixel_count > limits.max_pixels:
        raise TooManyPixels(
            f"the picture has {header.width_px}x{header.height_px} pixels; "
            f"at most {limits.max_pixels} are decoded"
        )
    return header


def _raw(picture: Picture) -> Header:
    width, height = picture.width_px, picture.height_px
    if not (0 < width <= _MAX_SIDE_PX and 0 < height <= _MAX_SIDE_PX):
        raise ImageLayout(f"a raw picture needs width_px and height_px in 1..{_MAX_SIDE_PX}")
    nv12 = picture.format is PictureFormat.NV12
    if nv12 and (width % 2 or height % 2):
        raise ImageLayout("an NV12 picture needs an even width_px and height_px")
    row = width * _BYTES_PER_PIXEL.get(picture.format, 1)
    stride = picture.stride_bytes or row
    if stride < row:
        raise ImageLayout(f"stride_bytes is {stride}, but a row has {row} bytes")
    rows = height * 3 // 2 if nv12 else height
    # The last row may lack its padding, as in a picture that was cut out of a larger one.
    least, most = stride * (rows - 1) + row, stride * rows
    if not least <= len(picture.data) <= most:
        raise ImageLayout(
            f"{width}x{height} {picture.format.value} with a stride of {stride} takes {most} bytes; "
            f"there are {len(picture.data)}"
        )
    return Header(picture.format, width, height, stride)


def _encoded(picture: Picture) -> Header:
    found = _sniff(picture.data)
    if picture.format not in (PictureFormat.SNIFF, found):
        raise UndecodableImage(f"the picture is declared as {picture.format.value}, but is not")
    readers = {
        PictureFormat.JPEG: _jpeg_size,
        PictureFormat.PNG: _png_size,
        PictureFormat.WEBP: _webp_size,
        PictureFormat.BMP: _bmp_size,
    }
    try:
        width, height = readers[found](picture.data)
    except (IndexError, struct.error) as error:
        raise UndecodableImage(f"the {found.value} picture is cut short") from error
    if width == 0 or height == 0:
        raise UndecodableImage(f"the {found.value} picture has no pixels")
    return Header(found, width, height)


def _sniff(data: bytes) -> PictureFormat:
    if data.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return PictureFormat.WEBP
    if data.startswith(b"BM"):
        return PictureFormat.BMP
    raise UndecodableImage(
        "the picture is neither JPEG, PNG, WebP nor BMP; raw formats must be named"
    )


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Returns the size in the frame header, found as a decoder finds it.

    Decoders differ in how they treat stray bytes between segments: some search for the next
    marker, and would find another frame than the one read here. No camera and no
    program writes such bytes, so a file with any is refused.
    """
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if data[at] != 0xFF:
            raise UndecodableImage("the JPEG picture is damaged")
        marker = data[at + 1]
        if marker == 0xFF:  # any number of fill bytes may precede a marker
            at += 1
            continue
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker not in _SEGMENT or length < 2:
            raise UndecodableImage("the JPEG picture has no frame header")
        at += 2 + length
    raise UndecodableImage(f"the JPEG picture has no frame header in {_MAX_SEGMENTS} segments")


def _png_size(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR":
        raise UndecodableImage("the PNG picture has no header")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _webp_size(data: bytes) -> tuple[int, int]:
    (riff_length,) = struct.unpack_from("<I", data, 4)
    if riff_length + 8 > len(data):
        raise UndecodableImage("the WebP picture is cut short")
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0x02:
            raise UndecodableImage("the WebP picture is an animation")
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise UndecodableImage("the WebP picture has no header")


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    if header_bytes < 40:  # OS/2, 1987
        raise UndecodableImage("the BMP picture has an unsupported header")
    width, height = struct.unpack_from("<ii", data, 18)
    return max(width, 0), abs(height)  # negative: the top row comes first
