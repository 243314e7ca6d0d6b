"""Reads the orientation out of EXIF, however it is wrapped (EXIF 3.0, 4.6.2 and 4.6.5.1.6).

Cameras store a picture as the sensor saw it, and say with a number how it must be turned. EXIF is a TIFF directory; JPEG
and some writers of PNG and WebP put `Exif` and two zeros before it, the standards of PNG and WebP do not.
"""

import re
import struct
import zlib
from typing import Final

__all__ = ["UPRIGHT", "has_directory", "orientation_of", "orientation_of_text"]

UPRIGHT: Final = 1
"""The orientation of a picture that is stored as it is shown."""

_PREFIX: Final = b"Exif\0\0"

_ORDERS: Final = {b"II*\0": "<", b"MM\0*": ">"}
"""The orders of bytes, by the begin of a TIFF (TIFF 6.0, section 2)."""

_ORIENTATION_TAG: Final = 0x0112
"""EXIF 3.0, table 4."""

_SHORT, _LONG = 3, 4
"""Types of a TIFF field (TIFF 6.0, section 2): 16 and 32 bits."""

_MAX_ENTRIES: Final = 512
"""Fields of a directory that are read. Chosen, not measured: cameras write some twenty."""

_MAX_TEXT_BYTES: Final = 1 << 16
"""Bytes of a profile's text that are read. Chosen, not measured: 32 KiB of EXIF; writers put the directory that has the orientation first."""

_MAX_PACKED_BYTES: Final = 1 << 16
"""Compressed bytes of a profile that are inflated. Chosen, not measured: no more than are read of what comes out."""

_PROFILE: Final = re.compile(rb"\s*(?:exif|app1|APP1)\s+\d+\s+([0-9a-fA-F\s]*)")
"""ImageMagick's form of a profile in a text chunk: its name, its number of bytes, and hexadecimal digits."""


def has_directory(exif: bytes) -> bool:
    """Returns whether EXIF data begin as a TIFF directory does, whatever it holds."""
    return exif.removeprefix(_PREFIX)[:4] in _ORDERS


def orientation_of(exif: bytes) -> int:
    """Returns the orientation that EXIF data names, 1 to 8; 1 if it names none that can be read."""
    exif = exif.removeprefix(_PREFIX)
    order = _ORDERS.get(exif[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(min(count, _MAX_ENTRIES)):
            at = directory + 2 + 12 * entry
            tag, kind, _ = struct.unpack_from(order + "HHI", exif, at)
            if tag == _ORIENTATION_TAG and kind in (_SHORT, _LONG):
                (value,) = struct.unpack_from(
                    order + ("H" if kind == _SHORT else "I"), exif, at + 8
                )
                return value if 1 <= value <= 8 else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def orientation_of_text(text: bytes, *, is_compressed: bool) -> int:
    """Returns the orientation of EXIF that is written in hexadecimal digits, as ImageMagick does in PNG; else 1.

    Args:
        text: of the chunk, behind its keyword.
        is_compressed: by zlib. At most 64 KiB are inflated.
    """
    if is_compressed:
        try:
            text = zlib.decompressobj().decompress(text[:_MAX_PACKED_BYTES], _MAX_TEXT_BYTES)
        except zlib.error:
            return UPRIGHT
    profile = _PROFILE.match(text[:_MAX_TEXT_BYTES])
    if profile is None:
        return UPRIGHT
    digits = b"".join(profile[1].split())
    return orientation_of(bytes.fromhex(digits[: len(digits) // 2 * 2].decode()))
