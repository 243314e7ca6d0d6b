"""Reads the header of a BMP, and the pixels of those whose colors lie at bits that the file names.

Source: Microsoft's BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER. A decoder here takes the masks of a header of 40 bytes, and
neither those of a longer one nor any but the usual; so pictures of 16 and 32 bits are unpacked in this module.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.walked import CheckSize, Walked, cut_short
from facewire_server.types import Rgb

__all__ = ["unpack_bmp", "walk_bmp"]

_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHABITFIELDS = 0, 1, 2, 3, 6
"""Values of biCompression."""

_BITS: Final = {
    _RGB: (1, 4, 8, 16, 24, 32),
    _RLE8: (8,),
    _RLE4: (4,),
    _BITFIELDS: (16, 32),
    _ALPHABITFIELDS: (16, 32),
}
"""Bits of a pixel that go with each."""

_INFO_BYTES: Final = 40
"""Bytes of a BITMAPINFOHEADER, with which all later headers begin."""

_USUAL_MASKS: Final = {16: (0x7C00, 0x03E0, 0x001F), 32: (0xFF0000, 0xFF00, 0xFF)}
"""Where red, green and blue lie without masks."""

_BAND_ROWS: Final = 64
"""Rows that are unpacked at once, which bounds the memory of what lies between. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class _Header:
    width_px: int
    height_px: int
    is_top_down: bool
    bits: int
    compression: int
    pixels_at: int
    masks: tuple[int, int, int]

    @property
    def stride_bytes(self) -> int:
        return (self.width_px * self.bits + 31) // 32 * 4


def walk_bmp(data: bytes, check_size: CheckSize) -> Walked:
    """Checks a BMP.

    Raises:
        UndecodableImage: a header that is not read or cannot be, or fewer bytes than pixels.
    """
    header = _header(data)
    check_size(header.width_px, header.height_px)
    if header.bits not in _BITS.get(header.compression, ()):
        raise UndecodableImage(
            f"the BMP picture has {header.bits} bits a pixel and compression {header.compression}, which is not read"
        )
    is_coded = header.compression in (_RLE8, _RLE4)
    if header.pixels_at > len(data) or (
        not is_coded and header.pixels_at + header.stride_bytes * header.height_px > len(data)
    ):
        raise cut_short("BMP")
    return Walked(header.width_px, header.height_px, data)


def unpack_bmp(data: bytes) -> Rgb | None:
    """Returns (h, w, 3) uint8 RGB, top row first, of a checked BMP of 16 or 32 bits a pixel; None of another."""
    header = _header(data)
    if header.bits not in _USUAL_MASKS:
        return None
    kind = "<u2" if header.bits == 16 else "<u4"
    count = header.stride_bytes * header.height_px
    rows = np.frombuffer(data, kind, count * 8 // header.bits, header.pixels_at)
    pixels = rows.reshape(header.height_px, -1)[:, : header.width_px]
    if not header.is_top_down:
        pixels = pixels[::-1]
    image = np.empty((header.height_px, header.width_px, 3), np.uint8)
    for top in range(0, header.height_px, _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        for channel, mask in enumerate(header.masks):
            image[band, :, channel] = _channel(pixels[band], mask)
    return image


def _channel(pixels: np.ndarray[Any, Any], mask: int) -> np.ndarray[Any, Any]:
    """Returns (h, w) uint8: the bits of the mask, scaled to 0 to 255."""
    mask &= (1 << 8 * pixels.dtype.itemsize) - 1
    if not mask:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    bits: np.ndarray[Any, Any] = (pixels & pixels.dtype.type(mask)) >> pixels.dtype.type(shift)
    scaled = bits if most == 255 else bits * (255 / most) + 0.5
    return np.asarray(scaled).astype(np.uint8)


def _header(data: bytes) -> _Header:
    try:
        pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
        if header_bytes < _INFO_BYTES:
            raise UndecodableImage(
                "the BMP picture has an unsupported header, that of OS/2; save it again as a BMP of Windows, or as PNG"
            )
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
        masks = _USUAL_MASKS.get(bits, (0, 0, 0))
        if compression in (_BITFIELDS, _ALPHABITFIELDS) and bits in _USUAL_MASKS:
            # Behind the 40 bytes that all versions share: within a longer header, or before the pixels.
            masks = struct.unpack_from("<III", data, 14 + _INFO_BYTES)
    except struct.error:
        raise cut_short("BMP") from None
    return _Header(max(width, 0), abs(height), height < 0, bits, compression, pixels_at, masks)
