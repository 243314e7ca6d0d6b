"""Walks the boxes of an AVIF to its still picture, and writes a file of nothing but that.

Sources: ISO/IEC 23008-12 (HEIF), ISO/IEC 14496-12, section 8.11 (boxes of items); AV1 Image File Format 1.1.

An AVIF may be put together of tiles, hold thumbnails, alpha and films, and name for each its own size, by which libraries
allocate. One picture in one piece is read, as encoders write it; its size is that of the AV1 data in it.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.av1 import first_frame
from facewire_server.pictures.walked import CheckSize, Walked, cut_short

__all__ = ["walk_avif"]

_MAX_BOXES: Final = 4096
"""Boxes and listed items of a file. Chosen, not measured: a still picture has some thirty."""

_MAX_EXTENTS: Final = 64
"""Parts of the file in which the picture's data lie. Chosen, not measured: encoders write one."""

_TURNS: Final = {
    # Quarter turns against the clock; mirrored or not, and by which axis (HEIF, 6.5.10 and 6.5.12): EXIF's number.
    (0, None): 1,
    (1, None): 8,
    (2, None): 3,
    (3, None): 6,
    (0, 0): 4,
    (0, 1): 2,
    (1, 0): 5,
    (1, 1): 7,
    (2, 0): 2,
    (2, 1): 4,
    (3, 0): 7,
    (3, 1): 5,
}
"""Orientation by `irot` and `imir`, which are applied in this order."""


class _Box(NamedTuple):
    kind: bytes
    data: bytes


class _Boxes:
    """Reads boxes, and counts those of the whole file, and the items that they list: many lists are as long as one."""

    def __init__(self) -> None:
        self._left = _MAX_BOXES

    def count(self) -> None:
        """Counts a box or an item; raises `UndecodableImage` if there are too many."""
        self._left -= 1
        if self._left < 0:
            raise UndecodableImage(f"the AVIF picture has more than {_MAX_BOXES} boxes")

    def of(self, data: bytes, at: int = 0) -> Iterator[_Box]:
        """Yields the boxes of `data` from `at` on; each lies within it (ISO/IEC 14496-12, 4.2)."""
        while at + 8 <= len(data):
            self.count()
            length, kind = struct.unpack_from(">I4s", data, at)
            begin = at + 8
            if length == 1:
                (length,) = struct.unpack_from(">Q", data, begin)
                begin += 8
            end = len(data) if length == 0 else at + length
            if end < begin or end > len(data):
                raise cut_short("AVIF")
            yield _Box(kind, data[begin:end])
            at = end


def walk_avif(data: bytes, check_size: CheckSize) -> Walked:
    """Walks an AVIF to its still picture.

    Raises:
        UndecodableImage: cut short, damaged, in several pieces, or not of AV1.
    """
    try:
        return _walk(data, check_size)
    except (IndexError, struct.error):
        raise cut_short("AVIF") from None


def _walk(data: bytes, check_size: CheckSize) -> Walked:
    boxes = _Boxes()
    meta = next((box.data for box in boxes.of(data) if box.kind == b"meta"), None)
    if meta is None:
        raise UndecodableImage("the AVIF picture has no still picture; send one")
    found = {box.kind: box.data for box in reversed(list(boxes.of(meta, 4)))}
    if not {b"pitm", b"iinf", b"iloc", b"iprp"} <= found.keys():
        raise UndecodableImage("the AVIF picture has no still picture; send one")
    item = _number(found[b"pitm"], 4, 4 if found[b"pitm"][0] else 2)
    kind = _kind(boxes, found[b"iinf"], item)
    if kind != b"av01":
        what = "several tiles" if kind == b"grid" else "items that are no AV1"
        raise UndecodableImage(
            f"the AVIF picture is put together of {what}, which is not read; save it in one piece, or as JPEG"
        )
    properties = _properties(boxes, found[b"iprp"], item)
    if b"av1C" not in properties or b"ispe" not in properties:
        raise UndecodableImage("the AVIF picture has no header")
    width, height = struct.unpack_from(">II", properties[b"ispe"], 4)
    check_size(width, height)
    frame, *announced = first_frame(_item_data(boxes, data, found, item))
    check_size(*announced)
    if announced != [width, height]:
        raise UndecodableImage("the AVIF picture has another size than its header declares")
    return Walked(width, height, _file(properties, frame), _orientation(properties))


def _number(data: bytes, at: int, length: int) -> int:
    if at + length > len(data):
        raise cut_short("AVIF")
    return int.from_bytes(data[at : at + length], "big")


def _kind(boxes: _Boxes, iinf: bytes, item: int) -> bytes:
    """Returns the type of an item (ISO/IEC 14496-12, 8.11.6); "none" if it is not listed."""
    for box in boxes.of(iinf, 8 if iinf[0] else 6):
        if box.kind == b"infe" and box.data[0] >= 2:
            id_bytes = 4 if box.data[0] >= 3 else 2
            if _number(box.data, 4, id_bytes) == item:
                return box.data[6 + id_bytes : 10 + id_bytes]
    return b"none"


def _properties(boxes: _Boxes, iprp: bytes, item: int) -> dict[bytes, bytes]:
    """Returns the properties of an item, the first of each kind (HEIF, 9.3)."""
    parts = list(boxes.of(iprp))
    # HEIF, 9.3.1: there is one `ipco`.
    container = next((box.data for box in parts if box.kind == b"ipco"), b"")
    listed = list(boxes.of(container))
    lists = (_associated(boxes, box.data, item) for box in parts if box.kind == b"ipma")
    found: dict[bytes, bytes] = {}
    for index in next(filter(None, lists), []):  # an item is listed once
        if 1 <= index <= len(listed):
            kind, data = listed[index - 1]
            if kind != b"colr" or data[:4] == b"nclx":
                found.setdefault(kind, data)
    return found


def _associated(boxes: _Boxes, ipma: bytes, item: int) -> list[int]:
    """Returns the numbers of an item's properties, from 1 (HEIF, 9.3.1)."""
    version, is_wide = ipma[0], ipma[3] & 1
    id_bytes, width = (4 if version else 2), (2 if is_wide else 1)
    at = 8
    for _ in range(_number(ipma, 4, 4)):
        boxes.count()
        owner, count = _number(ipma, at, id_bytes), _number(ipma, at + id_bytes, 1)
        at += id_bytes + 1
        if owner == item:
            mask = (1 << 8 * width - 1) - 1  # the highest bit says that the property is essential
            return [_number(ipma, at + index * width, width) & mask for index in range(count)]
        at += count * width
    return []


def _item_data(boxes: _Boxes, data: bytes, found: dict[bytes, bytes], item: int) -> bytes:
    """Returns the bytes of an item, put together of its extents (ISO/IEC 14496-12, 8.11.3)."""
    iloc = found[b"iloc"]
    version = iloc[0]
    offset_bytes, length_bytes = iloc[4] >> 4, iloc[4] & 0x0F
    base_bytes, index_bytes = iloc[5] >> 4, iloc[5] & 0x0F if version else 0
    id_bytes = 4 if version == 2 else 2
    at = 6 + id_bytes
    for _ in range(_number(iloc, 6, id_bytes)):
        boxes.count()
        owner = _number(iloc, at, id_bytes)
        at += id_bytes
        method = _number(iloc, at, 2) & 0x0F if version else 0
        at += (2 if version else 0) + 2
        base, count = _number(iloc, at, base_bytes), _number(iloc, at + base_bytes, 2)
        at += base_bytes + 2
        extent_bytes = index_bytes + offset_bytes + length_bytes
        if owner != item:
            at += count * extent_bytes
            continue
        if method > 1 or count > _MAX_EXTENTS:
            raise UndecodableImage(
                "the AVIF picture's data lie in a way that is not read; save it again"
            )
        source = data if method == 0 else found.get(b"idat", b"")
        parts = []
        for extent in range(count):
            first = at + extent * extent_bytes + index_bytes
            begin = base + _number(iloc, first, offset_bytes)
            length = _number(iloc, first + offset_bytes, length_bytes) or len(source) - begin
            if begin > len(source) or length > len(source) - begin:
                raise cut_short("AVIF")
            parts.append(source[begin : begin + length])
        if sum(map(len, parts)) > len(data):
            raise UndecodableImage("the AVIF picture is damaged: its parts overlap")
        return b"".join(parts)
    raise UndecodableImage("the AVIF picture has no data")


def _orientation(properties: dict[bytes, bytes]) -> int:
    turned = properties.get(b"irot", b"\0")[0] & 3
    mirrored = properties[b"imir"][0] & 1 if b"imir" in properties else None
    return _TURNS[turned, mirrored]


def _file(properties: dict[bytes, bytes], frame: bytes) -> bytes:
    """Returns an AVIF of one item with the properties that decoding needs."""
    listed = [
        _box(b"ispe", properties[b"ispe"][:12]),
        _box(b"av1C", properties[b"av1C"][:4]),
        *([_box(b"colr", properties[b"colr"][:11])] if b"colr" in properties else []),
    ]
    numbers = bytes([len(listed), *(0x80 * (kind == 1) | kind + 1 for kind in range(len(listed)))])
    ftyp = _box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")

    def meta(data_at: int) -> bytes:
        return _box(
            b"meta",
            bytes(4)
            + _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + _box(b"pitm", bytes(4) + b"\0\x01")
            + _box(
                b"iloc",
                bytes(4)
                + b"\x44\0\0\x01\0\x01\0\0\0\x01"
                + struct.pack(">II", data_at, len(frame)),
            )
            + _box(b"iinf", bytes(4) + b"\0\x01" + _box(b"infe", b"\x02\0\0\0\0\x01\0\0av01\0"))
            + _box(
                b"iprp",
                _box(b"ipco", b"".join(listed))
                + _box(b"ipma", bytes(4) + b"\0\0\0\x01\0\x01" + numbers),
            ),
        )

    data_at = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(data_at) + _box(b"mdat", frame)


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data
