"""Walks a JPEG from marker to marker, as libjpeg does (ITU-T T.81, annexes B and G).

Between segments libjpeg skips to the next 0xFF that a marker follows (its `next_marker`), and files of
cameras and editors need that. The decoder gets the segments without what lies between them, so it finds no other frame
than the one that is read here; and without what applications add: EXIF, profiles, thumbnails.
"""

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.exif import UPRIGHT, has_directory, orientation_of
from facewire_server.pictures.jpeg_scans import Scans
from facewire_server.pictures.walked import CheckSize, Walked, joined

__all__ = ["walk_jpeg"]

_SOI, _EOI, _SOS, _DNL, _COM = 0xD8, 0xD9, 0xDA, 0xDC, 0xFE
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE

_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
"""Frames that are decoded (T.81, table B.1): sequential, progressive, lossless (by libjpeg-turbo from 3.0 on), and
the first two with arithmetic coding."""

_PROGRESSIVE: Final = frozenset({0xC2, 0xCA})
"""Frames whose scans bring a part of the coefficients each (T.81, table B.1)."""

_ARITHMETIC: Final = frozenset({0xC9, 0xCA})
"""Frames with arithmetic coding (T.81, table B.1)."""

_OTHER_FRAMES: Final = frozenset({0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xDE, 0xF7})
"""Hierarchical frames, lossless ones with arithmetic coding, and JPEG-LS (ITU-T T.87, C.1)."""

_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
"""DHT, DAC, DQT and DRI."""

_KEPT: Final = _TABLES | {_SOS, _APP0, _APP14}
"""What decoding needs. APP0 (JFIF) and APP14 (Adobe) say how colors are coded."""

_PASSED_OVER: Final = frozenset({_DNL, _COM, *range(_APP0, _APP0 + 16)}) - _KEPT
"""Segments that the decoder does not get: comments, what applications add, and a late height, which libjpeg does not read."""

_BARE: Final = frozenset({0x01, _SOI, _EOI, *range(0xD0, 0xD8)})
"""TEM, SOI, EOI, and RST0 to RST7: markers without a length."""

_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
"""0xFF, then neither zero (a stuffed byte) nor 0xFF (a fill byte)."""

_END_OF_SCAN: Final = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""A marker in entropy-coded data that is no RST. Markers below 0xC0 are damage, over which libjpeg passes at a restart."""

_SEARCHED_BYTES: Final = 1 << 18
"""Bytes that are searched in one go: 4 ms at the worst, during which Python's lock is held."""

_MAX_SEGMENTS: Final = 4096
"""Segments of a JPEG. Chosen, not measured: a color profile and metadata of many MiB have hundreds."""

_CUT_SHORT: Final = "the JPEG picture is cut short"

_XYB: Final = "XYB".encode("utf-16-be")
"""Part of the name of the profile that jpegli writes with XYB colors (a text of ICC.1:2022, 10.15)."""


class _DamagedSegment(UndecodableImage):
    """Something stands between segments that cannot stand there."""


@dataclass(slots=True)
class _Walk:
    """What was found so far."""

    data: bytes
    check_size: CheckSize
    parts: list[tuple[int, int]] = field(default_factory=lambda: [(0, 2)])
    width_px: int = 0
    height_px: int = 0
    orientation: int | None = None
    scans: Scans | None = None
    has_stray_bytes: bool = False


def walk_jpeg(data: bytes, check_size: CheckSize) -> Walked:
    """Walks a JPEG to its end.

    Raises:
        UndecodableImage: damaged, cut short before its last scan, of a process or colors that are not read, or
            of more scans than a decoder should work through.
    """
    walk = _Walk(data, check_size)
    is_cut = _walk(walk)
    scans = walk.scans
    if scans is None or not scans.count:
        raise UndecodableImage("the JPEG picture has no scan")
    if is_cut:
        scans.refuse_if_most_is_missing()
    return Walked(
        walk.width_px,
        walk.height_px,
        joined(data, walk.parts, end=b"\xff\xd9" if is_cut else b""),
        walk.orientation or UPRIGHT,
        passes=scans.count,
        is_cut=is_cut,
        remark=_remark(walk, is_cut=is_cut),
    )


def _remark(walk: _Walk, *, is_cut: bool) -> str:
    if is_cut:
        return "the JPEG picture lacks its end"
    return "the JPEG picture has stray bytes between its segments" if walk.has_stray_bytes else ""


def _walk(walk: _Walk) -> bool:
    """Walks to the end of the picture; returns whether its end is missing."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        try:
            marker, begin, end = _segment(walk.data, at)
            _take(walk, marker, begin, end)
        except _DamagedSegment:
            # Behind a scan this ends the picture: often the next one follows, or what was in the camera's buffer before.
            if walk.scans is None or not walk.scans.count:
                raise
            return True
        # Any number of fill bytes may stand before a marker (T.81, B.1.1.2).
        walk.has_stray_bytes |= begin > at and walk.data[at:begin].strip(b"\xff") != b""
        if marker == _EOI:
            return False
        if marker == _SOS:
            end = _end_of_scan(walk.data, end)
            walk.parts[-1] = (begin, end)
        at = end
    raise UndecodableImage(f"the JPEG picture has more than {_MAX_SEGMENTS} segments")


def _segment(data: bytes, at: int) -> tuple[int, int, int]:
    """Returns the next marker, where it begins, and where its segment ends."""
    found = _MARKER.search(data, at)
    if found is None:
        raise _DamagedSegment(_CUT_SHORT)
    at, marker = found.start(), found[0][1]
    if marker in _BARE:
        return marker, at, at + 2
    try:
        (length,) = struct.unpack_from(">H", data, at + 2)
    except struct.error:
        raise _DamagedSegment(_CUT_SHORT) from None
    if length < 2:
        raise _DamagedSegment("the JPEG picture is damaged: a segment is shorter than its length")
    if at + 2 + length > len(data):
        raise _DamagedSegment(_CUT_SHORT)
    return marker, at, at + 2 + length


def _end_of_scan(data: bytes, at: int) -> int:
    """Returns where the entropy-coded data that begins at `at` ends."""
    for begin in range(at, len(data), _SEARCHED_BYTES):
        found = _END_OF_SCAN.search(data, begin, begin + _SEARCHED_BYTES + 1)
        if found:
            return found.start()
    return len(data)


def _take(walk: _Walk, marker: int, at: int, end: int) -> None:
    payload = walk.data[at + 4 : end]
    if marker in _FRAMES:
        _take_frame(walk, marker, payload)
    elif marker == _SOS:
        if walk.scans is None:
            raise UndecodableImage("the JPEG picture has no frame header")
        walk.scans.add(payload)
    elif marker == _EOI:
        if walk.scans is None:
            raise UndecodableImage("the JPEG picture has no frame header")
    elif marker == _APP1 and walk.orientation is None and payload.startswith(b"Exif\0"):
        if has_directory(payload):
            walk.orientation = orientation_of(payload)
    elif marker == _APP2 and payload.startswith(b"ICC_PROFILE\0") and _XYB in payload:
        raise UndecodableImage(
            "the JPEG picture has XYB colors, which are not read; convert it to a JPEG with sRGB colors"
        )
    elif marker in _OTHER_FRAMES and walk.scans is None:
        raise UndecodableImage(
            "the JPEG picture is hierarchical, JPEG-LS or lossless with arithmetic coding, which is not read; "
            "save it as an ordinary JPEG"
        )
    elif marker not in _KEPT | _PASSED_OVER | _BARE or marker == _SOI:
        raise _DamagedSegment(
            f"the JPEG picture is damaged: a marker 0xFF{marker:02X} stands between segments"
        )
    if marker in _KEPT or marker in _FRAMES or marker == _EOI:
        walk.parts.append((at, end))


def _take_frame(walk: _Walk, marker: int, payload: bytes) -> None:
    if walk.scans is not None:
        raise _DamagedSegment("the JPEG picture has several frames")
    if len(payload) < 6 or len(payload) != 6 + 3 * payload[5]:
        raise UndecodableImage("the JPEG picture is damaged: its frame header contradicts itself")
    precision, walk.height_px, walk.width_px = struct.unpack_from(">BHH", payload)
    if precision != 8:
        raise UndecodableImage(
            f"the JPEG picture has {precision} bits a sample, which is not read; save it with 8"
        )
    walk.check_size(walk.width_px, walk.height_px)
    walk.scans = Scans(
        payload[6::3],
        walk.width_px * walk.height_px,
        is_progressive=marker in _PROGRESSIVE,
        is_arithmetic=marker in _ARITHMETIC,
    )
