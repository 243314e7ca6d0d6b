"""Decodes pictures where results are painted: every kind that a server takes."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire._values.enums import ImageFormat
from facewire._values.pictures import Image, Picture, to_image

__all__ = ["decoded"]

_PACKED: dict[ImageFormat, tuple[int, int | None]] = {
    ImageFormat.RGB8: (3, None),
    ImageFormat.BGR8: (3, cv2.COLOR_BGR2RGB),
    ImageFormat.GRAY8: (1, cv2.COLOR_GRAY2RGB),
    ImageFormat.YUYV: (2, cv2.COLOR_YUV2RGB_YUYV),
    ImageFormat.UYVY: (2, cv2.COLOR_YUV2RGB_UYVY),
    ImageFormat.BGRA8: (4, cv2.COLOR_BGRA2RGB),
}
"""Formats of one plane: bytes of a pixel, and the conversion to RGB."""

_PLANES: dict[ImageFormat, int] = {
    ImageFormat.NV12: cv2.COLOR_YUV2RGB_NV12,
    ImageFormat.NV21: cv2.COLOR_YUV2RGB_NV21,
    ImageFormat.I420: cv2.COLOR_YUV2RGB_I420,
}
"""Formats of several planes, of which those of chroma have half the height: the conversion to RGB."""


def decoded(picture: Picture) -> NDArray[np.uint8]:
    """Returns any picture as (height, width, 3) uint8 RGB, EXIF orientation applied as OpenCV does.

    Raises:
        ValueError: the picture cannot be decoded.
        OSError: a path that cannot be read.
    """
    image = to_image(picture)
    data = np.frombuffer(image.data, np.uint8)
    if image.format in _PLANES:
        packed, to_rgb = _of_planes(data, image), _PLANES[image.format]
    elif image.format in _PACKED:
        pixel_bytes, maybe_to_rgb = _PACKED[image.format]
        row_bytes = image.width_px * pixel_bytes
        rows = _rows(data, image.height_px, row_bytes, image.stride_bytes or row_bytes)
        packed = rows.reshape(image.height_px, image.width_px, pixel_bytes)
        if maybe_to_rgb is None:
            return packed
        to_rgb = maybe_to_rgb
    else:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if bgr is None:
            raise ValueError("the picture cannot be decoded")
        packed, to_rgb = bgr.astype(np.uint8, copy=False), cv2.COLOR_BGR2RGB
    return cv2.cvtColor(packed, to_rgb).astype(np.uint8, copy=False)


def _of_planes(data: NDArray[np.uint8], image: Image) -> NDArray[np.uint8]:
    """Returns the planes without padding, as OpenCV takes them: (height * 3 / 2, width)."""
    width, height = image.width_px, image.height_px
    stride = image.stride_bytes or width
    plane_rows = image.plane_height_px or height
    planes = [_rows(data, height, width, stride)]
    chroma = data[stride * plane_rows :]
    if image.format is ImageFormat.I420:
        chroma_stride = image.chroma_stride_bytes or (stride + 1) // 2
        plane_bytes = chroma_stride * ((plane_rows + 1) // 2)
        for at in (0, plane_bytes):
            planes.append(_rows(chroma[at:], height // 2, width // 2, chroma_stride))
    else:
        planes.append(_rows(chroma, height // 2, width, stride))
    return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(height * 3 // 2, width)


def _rows(data: NDArray[np.uint8], rows: int, row_bytes: int, stride: int) -> NDArray[Any]:
    """Returns (rows, row_bytes) without the padding between rows; the last row need not be padded."""
    if min(rows, row_bytes) < 1 or data.size < stride * (rows - 1) + row_bytes:
        raise ValueError("the picture has fewer bytes than its size asks for")
    view = np.lib.stride_tricks.as_strided(data, (rows, row_bytes), (stride, 1), writeable=False)
    return np.array(view)
