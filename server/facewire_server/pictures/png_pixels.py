"""Inflates the pixels of a PNG to a bound, before libpng does without one.

libpng inflates all that a file has, also behind the last pixel: 2 MB of file cost 2.5 s of processor that way. Only inflating shows
where the pixels end. So that it is done once, the decoder gets what came out, in blocks that are merely stored (RFC 1951, section 3.2.4).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from facewire_server.errors import UndecodableImage

__all__ = ["with_inflated_pixels"]

_CHUNKS_AT: Final = 8
"""Where the first chunk begins: behind the signature (PNG 3rd edition, section 5.2)."""

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by color type (section 11.2.1)."""

_FREELY_INFLATED_BYTES: Final = 1 << 16
"""Bytes of compressed pixels that libpng may inflate unchecked: deflate expands at most 1,032 times, to 66 MB in 80 ms."""

_AT_ONCE_BYTES: Final = 1 << 18
"""Bytes that are inflated at once; each piece becomes a chunk."""

_FED_BYTES: Final = 1 << 16
"""Compressed bytes that are handed over at once: what of them is not consumed is copied for each piece."""

_MAX_BEHIND_PIXELS: Final = 1 << 20
"""Bytes behind the last pixel that are read over. Chosen, not measured: encoders write none."""


def with_inflated_pixels(file: bytes) -> bytes | bytearray:
    """Returns the PNG with pixels that need no inflating; the file itself if it is small, or the decoder will find it damaged.

    Args:
        file: of checked chunks (`walk_png`).

    Raises:
        UndecodableImage: it has more data than pixels.
    """
    chunks = _chunks(file)
    if sum(end - begin for kind, begin, end in chunks if kind == b"IDAT") <= _FREELY_INFLATED_BYTES:
        return file
    most_bytes = _pixel_bytes(file) + _MAX_BEHIND_PIXELS
    storing, out = zlib.compressobj(0), bytearray(file[:_CHUNKS_AT])
    inflating = zlib.decompressobj()
    try:
        for kind, begin, end in chunks:
            if kind == b"IDAT":
                for piece in _inflated(inflating, file[begin:end], most_bytes):
                    most_bytes -= len(piece)
                    _add(out, kind, storing.compress(piece))
                continue
            if kind == b"IEND":
                _add(out, b"IDAT", storing.flush())
            _add(out, kind, file[begin:end])
    except zlib.error:
        return file
    return out if inflating.eof else file


def _inflated(inflating: "zlib._Decompress", data: bytes, most_bytes: int) -> Iterator[bytes]:
    """Yields what a chunk holds, in pieces; raises `UndecodableImage` behind `most_bytes`."""
    for at in range(0, len(data), _FED_BYTES):
        waiting = data[at : at + _FED_BYTES]
        while waiting and not inflating.eof:
            piece = inflating.decompress(waiting, _AT_ONCE_BYTES)
            most_bytes -= len(piece)
            if most_bytes < 0:
                raise UndecodableImage("the PNG picture is damaged: it has more data than pixels")
            yield piece
            waiting = inflating.unconsumed_tail


def _chunks(file: bytes) -> list[tuple[bytes, int, int]]:
    """Returns the kind of each chunk, and where its content begins and ends."""
    found, at = [], _CHUNKS_AT
    while at < len(file):
        length, kind = struct.unpack_from(">I4s", file, at)
        found.append((kind, at + 8, at + 8 + length))
        at += 12 + length
    return found


def _add(out: bytearray, kind: bytes, content: bytes) -> None:
    if kind == b"IDAT" and not content:
        return
    out += struct.pack(">I", len(content)) + kind
    out += content
    out += struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _pixel_bytes(file: bytes) -> int:
    """Returns the most bytes of the pixels, with the filter byte of each row; interlacing adds up to 7 a row."""
    width, height, bits, color = struct.unpack_from(">IIBB", file, _CHUNKS_AT + 8)
    row_bits = int(width * bits * _CHANNELS.get(color, 4))
    return int(height) * (row_bits // 8 + 9)
