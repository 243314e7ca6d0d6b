"""Builds pictures whose few bytes would cost a reader much memory or processor time."""

import struct
import zlib
from typing import Final

from fakes.odd_pictures import (
    bmp_file,
    encoded,
    gif_file,
    jpeg_of_scans,
    png_chunk,
    png_chunks_of,
    png_file,
    scene,
)

__all__ = ["LYING"]

FIELDS: Final = b"II*\0\x08\0\0\0\xff\xff" + bytes(12 * 512)
"""A directory of as many fields as are read, none of which is the orientation."""

PROFILE: Final = zlib.compress(b"\nexif\n 99999\n" + b"4" * (1 << 18), 9)


def png_of(chunk: tuple[bytes, bytes], times: int) -> bytes:
    first, *others = png_chunks_of(encoded(scene(), "PNG"))
    return png_file([first, *[chunk] * times, *others])


def webp_of(kind: bytes, content: bytes, times: int) -> bytes:
    chunk = kind + struct.pack("<I", len(content)) + content
    body = encoded(scene(), "WEBP", lossless=True)[8:] + chunk * times
    return b"RIFF" + struct.pack("<I", len(body)) + body


def avif_of(lists: int, length: int) -> bytes:
    """Several lists, each of several properties, of an item that has none."""

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    meta = (
        box(b"pitm", bytes(4) + b"\0\1")
        + box(b"iinf", bytes(4) + b"\0\1" + box(b"infe", b"\2\0\0\0\0\1\0\0av01\0"))
        + box(b"iloc", bytes(8))
        + box(b"iprp", box(b"ipco", box(b"free", b"") * length) * lists)
    )
    return box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + box(b"meta", bytes(4) + meta)


LYING: Final[dict[str, bytes]] = {
    **{
        f"PNG whose chunk announces {announced} bytes": png_file(
            [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))]
        )
        + struct.pack(">I", announced)
        + b"IDAT"
        for announced in (64 << 20, 1 << 30, 0xFFFFFFFF)
    },
    "PNG with 500 MB behind its pixels": png_file(
        [
            png_chunks_of(encoded(scene(), "PNG"))[0],
            (b"IDAT", zlib.compress(bytes(500 << 20), 1)),
            (b"IEND", b""),
        ]
    ),
    "PNG with a profile of 500 MB": png_file(
        [
            (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)),
            (b"iCCP", b"x\0\0" + zlib.compress(bytes(500 << 20), 1)),
            (b"IDAT", zlib.compress(bytes(4 * 13))),
            (b"IEND", b""),
        ]
    ),
    "PNG of empty chunks": png_file([(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))])
    + png_chunk(b"IDAT", b"") * 300_000,
    "JPEG of 10,000 scans": jpeg_of_scans(1000, 1000, 10_000),
    "JPEG of 10,000 scans without an end": jpeg_of_scans(1000, 1000, 10_000, end=False),
    "JPEG of 97 refinements": jpeg_of_scans(1000, 1000, 97, refining=True),
    "JPEG of 97 refinements without an end": jpeg_of_scans(
        1000, 1000, 97, refining=True, end=False
    ),
    "JPEG of 4,000 orientations": encoded(scene(), "JPEG")[:2]
    + (b"\xff\xe1" + struct.pack(">H", 1002) + b"Exif\0\0" + FIELDS[:994]) * 4000
    + encoded(scene(), "JPEG")[2:],
    "PNG of 2,000 compressed profiles": png_of(
        (b"zTXt", b"Raw profile type exif\0\0" + PROFILE), 2000
    ),
    "PNG of 200 profiles": png_of(
        (b"tEXt", b"Raw profile type exif\0" + b"\nexif\n9\n" + b"4" * 20_000), 200
    ),
    "PNG of 600 orientations": png_of((b"eXIf", FIELDS), 600),
    "PNG of 2,000 compressed texts": png_of(
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + PROFILE), 2000
    ),
    "WebP of 250 orientations": webp_of(b"EXIF", FIELDS, 250),
    "GIF of empty blocks": gif_file(
        (1, 1), (0, 0, 1, 1), b"\0Q\xfc\x1b", before=b"\x21\xfe\0" * 1_300_000
    ),
    "AVIF of 500,000 boxes": avif_of(128, 3900),
    "JPEG of fill bytes": b"\xff\xd8" + b"\xff" * 4_000_000,
    "GIF whose codes are longer than its pixels": gif_file(
        (64, 64), (0, 0, 64, 64), b"\xff" * 4_000_000
    ),
    "GIF of a large screen": gif_file((1000, 1000), (0, 0, 1, 1), b"\x00\x51\xfc\x1b"),
    "BMP of nothing": bmp_file(1000, 1000, 24, b""),
    "BMP of no runs": bmp_file(1000, 1000, 8, b"\0\1", compression=1, colors=bytes(1024)),
}
