"""Reads the largest frame that an AV1 sequence announces, and cuts a still picture to its first frame.

A decoder allocates by the sequence header, not by what the file around it says; and a sample of some kB can
show the same frame thousands of times. Source: AV1 Bitstream & Decoding Process Specification, sections 5.3 to 5.5.
"""

from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.walked import cut_short

__all__ = ["first_frame"]

_SEQUENCE, _FRAME_HEADER, _TILE_GROUP, _FRAME = 1, 3, 4, 6
"""Types of an OBU, the unit of AV1 (section 6.2.2)."""

_MAX_UNITS: Final = 1024
"""Units of a sample. Chosen, not measured: encoders write three for a still picture."""


class _Bits:
    """Reads bits, the highest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise cut_short("AVIF")
        return self._value >> self._left & (1 << count) - 1


def first_frame(sample: bytes) -> tuple[bytes, int, int]:
    """Returns the units of the first frame, and the width and height that its sequence allows.

    Raises:
        UndecodableImage: cut short, damaged, of several sequences, or a film's sequence.
    """
    kept, size, at, has_header = [], None, 0, False
    for _ in range(_MAX_UNITS):
        if at == len(sample):
            break
        kind, begin, end = _unit(sample, at)
        if has_header and kind != _TILE_GROUP:
            break
        if kind == _SEQUENCE:
            if size is not None:
                raise UndecodableImage("the AVIF picture is damaged: it has several sequences")
            size = _size(sample[begin : min(end, begin + 64)])
        if kind in (_SEQUENCE, _FRAME_HEADER, _TILE_GROUP, _FRAME):
            kept.append(sample[at:end])
        has_header = has_header or kind == _FRAME_HEADER
        at = end
        if kind == _FRAME:
            break
    if size is None:
        raise UndecodableImage("the AVIF picture has no header")
    return b"".join(kept), *size


def _unit(sample: bytes, at: int) -> tuple[int, int, int]:
    """Returns the type of the OBU at `at`, where its payload begins, and where it ends (section 5.3)."""
    head = sample[at]
    begin = at + (2 if head & 0x04 else 1)
    if not head & 0x02:  # without a length it reaches to the end of the sample
        return head >> 3 & 0x0F, begin, len(sample)
    length = 0
    for shift in range(0, 35, 7):  # leb128, section 4.10.5
        if begin >= len(sample):
            raise cut_short("AVIF")
        byte = sample[begin]
        begin += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    if begin + length > len(sample):
        raise cut_short("AVIF")
    return head >> 3 & 0x0F, begin, begin + length


def _size(sequence: bytes) -> tuple[int, int]:
    """Returns max_frame_width and max_frame_height of a sequence header (section 5.5.1)."""
    bits = _Bits(sequence)
    bits.take(3 + 1)  # profile, still_picture
    if bits.take(1):  # reduced_still_picture_header
        bits.take(5)
    else:
        if bits.take(1):
            raise UndecodableImage(
                "the AVIF picture is a film, which is not read; send a still picture"
            )
        has_delay = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if has_delay and bits.take(1):
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1
