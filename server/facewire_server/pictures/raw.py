"""Raw pictures: the layouts that cameras and their drivers deliver, as RGB.

Names are those of FourCC codes (Video for Linux, kernel documentation, "Image Formats"); colors of luma and chroma are those of
BT.601, limited range, as webcams send them.
"""

from typing import Any, Final

import cv2
import numpy as np

from facewire_server.errors import ImageLayout
from facewire_server.types import Header, Picture, PictureFormat, Rgb

__all__ = ["RAW_FORMATS", "raw_header", "raw_pixels"]

_BYTES_PER_PIXEL: Final = {
    PictureFormat.RGB8: 3,
    PictureFormat.BGR8: 3,
    PictureFormat.GRAY8: 1,
    PictureFormat.YUYV: 2,
    PictureFormat.UYVY: 2,
    PictureFormat.BGRA8: 4,
}
"""Bytes of a pixel, for formats with one plane."""

_TWO_PLANES: Final = frozenset({PictureFormat.NV12, PictureFormat.NV21})
_PLANES: Final = _TWO_PLANES | {PictureFormat.I420}
_EVEN_WIDTH: Final = _PLANES | {PictureFormat.YUYV, PictureFormat.UYVY}

RAW_FORMATS: Final = frozenset(_BYTES_PER_PIXEL) | _PLANES
"""Formats whose bytes are pixels, without a header of their own."""

_TO_RGB: Final = {
    PictureFormat.BGR8: cv2.COLOR_BGR2RGB,
    PictureFormat.GRAY8: cv2.COLOR_GRAY2RGB,
    PictureFormat.BGRA8: cv2.COLOR_BGRA2RGB,
    PictureFormat.YUYV: cv2.COLOR_YUV2RGB_YUYV,
    PictureFormat.UYVY: cv2.COLOR_YUV2RGB_UYVY,
    PictureFormat.NV12: cv2.COLOR_YUV2RGB_NV12,
    PictureFormat.NV21: cv2.COLOR_YUV2RGB_NV21,
    PictureFormat.I420: cv2.COLOR_YUV2RGB_I420,
}

_MAX_SIDE_PX: Final = 65_535
"""Longest side of a raw picture: the most that a JPEG can have."""


def raw_header(picture: Picture) -> Header:
    """Returns the layout of a raw picture.

    Raises:
        ImageLayout: size, strides and bytes disagree. The text says what was expected.
    """
    layout, width, height = picture.format, picture.width_px, picture.height_px
    if not (0 < width <= _MAX_SIDE_PX and 0 < height <= _MAX_SIDE_PX):
        raise ImageLayout(
            f"a raw picture needs width_px and height_px in 1..{_MAX_SIDE_PX}; they are {width} and {height}"
        )
    if (width % 2 and layout in _EVEN_WIDTH) or (height % 2 and layout in _PLANES):
        sides = "width_px and height_px" if layout in _PLANES else "width_px"
        raise ImageLayout(
            f"a picture of {layout.value} needs an even {sides}; it is {width}x{height}"
        )
    row = width * _BYTES_PER_PIXEL.get(layout, 1)
    stride = _at_least(picture.stride_bytes or row, row, "stride_bytes", "a row has", "bytes")
    plane_height, chroma_stride = height, 0
    if layout in _PLANES:
        plane_height = _at_least(
            picture.plane_height_px or height, height, "plane_height_px", "height_px is", ""
        )
        if plane_height > _MAX_SIDE_PX:
            raise ImageLayout(
                f"plane_height_px is {plane_height}; at most {_MAX_SIDE_PX} is accepted"
            )
    if layout is PictureFormat.I420:
        chroma_stride = _at_least(
            picture.chroma_stride_bytes or (stride + 1) // 2,
            width // 2,
            "chroma_stride_bytes",
            "a row of chroma has",
            "bytes",
        )
    header = Header(
        layout,
        width,
        height,
        stride,
        chroma_stride_bytes=chroma_stride,
        plane_height_px=plane_height,
    )
    _check_length(len(picture.data), header)
    return header


def raw_pixels(data: bytes, header: Header) -> Rgb:
    """Returns (h, w, 3) uint8 RGB of a raw picture whose layout was checked."""
    layout, width, height = header.format, header.width_px, header.height_px
    if layout in _PLANES:
        planes = np.concatenate([_rows(data, *plane).reshape(-1) for plane in _planes(header)])
        packed: np.ndarray[Any, Any] = planes.reshape(height * 3 // 2, width)
    else:
        row = width * _BYTES_PER_PIXEL[layout]
        rows = _rows(data, 0, height, row, header.stride_bytes)
        packed = rows if row == width else rows.reshape(height, width, -1)
    if layout is PictureFormat.RGB8:
        return packed
    return cv2.cvtColor(packed, _TO_RGB[layout]).astype(np.uint8, copy=False)


def _at_least(value: int, least: int, field: str, what: str, unit: str) -> int:
    if value < least:
        raise ImageLayout(f"{field} is {value}, but {what} {least} {unit}".rstrip())
    return value


def _check_length(length: int, header: Header) -> None:
    planes = _planes(header)
    # The last row may lack its padding, as in a picture that was cut out of a larger one.
    least = max(at + stride * (rows - 1) + row for at, rows, row, stride in planes)
    most = _whole_length(header)
    if not least <= length <= most:
        takes = f"{most}" if least == most else f"{least} to {most}"
        planes_of = f", planes of {header.plane_height_px} rows" if header.format in _PLANES else ""
        chroma = (
            f" and chroma strides of {header.chroma_stride_bytes}"
            if header.chroma_stride_bytes
            else ""
        )
        raise ImageLayout(
            f"{header.width_px}x{header.height_px} {header.format.value} with a stride of {header.stride_bytes}"
            f"{chroma}{planes_of} takes {takes} bytes; there are {length}"
        )


def _whole_length(header: Header) -> int:
    """Returns the bytes of the picture with all its padding."""
    luma = header.stride_bytes * header.plane_height_px
    chroma_rows = (header.plane_height_px + 1) // 2
    if header.format is PictureFormat.I420:
        return luma + 2 * header.chroma_stride_bytes * chroma_rows
    return luma + header.stride_bytes * chroma_rows if header.format in _TWO_PLANES else luma


def _planes(header: Header) -> list[tuple[int, int, int, int]]:
    """Returns for each plane: its first byte, its rows, the bytes of a row, and its stride."""
    width, height, stride = header.width_px, header.height_px, header.stride_bytes
    if header.format not in _PLANES:
        return [(0, height, width * _BYTES_PER_PIXEL[header.format], stride)]
    luma_bytes = stride * header.plane_height_px
    luma = (0, height, width, stride)
    if header.format in _TWO_PLANES:
        return [luma, (luma_bytes, height // 2, width, stride)]
    chroma_stride = header.chroma_stride_bytes
    chroma_bytes = chroma_stride * ((header.plane_height_px + 1) // 2)
    first = (luma_bytes, height // 2, width // 2, chroma_stride)
    return [luma, first, (luma_bytes + chroma_bytes, *first[1:])]


def _rows(data: bytes, at: int, rows: int, row: int, stride: int) -> np.ndarray[Any, Any]:
    """Returns (rows, row) uint8 without the padding between rows; the last row need not be padded."""
    view = np.frombuffer(data, np.uint8, offset=at)
    strided = np.lib.stride_tricks.as_strided(view, (rows, row), (stride, 1), writeable=False)
    return np.ascontiguousarray(strided)
