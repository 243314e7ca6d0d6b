"""Pictures: as they come, walked, and as pixels."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Header",
    "Picture",
    "PictureFormat",
    "PictureLimits",
    "Rgb",
]

Rgb: TypeAlias = NDArray[np.uint8]
"""uint8, red green blue: a picture (h, w, 3), or aligned crops (n, 112, 112, 3)."""


class PictureFormat(Enum):
    """How the bytes of a picture are laid out (`facewire.v1.ImageFormat`)."""

    SNIFF = "recognized by the first bytes"
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    RGB8 = "RGB8"
    BGR8 = "BGR8"
    GRAY8 = "GRAY8"
    NV12 = "NV12"
    BMP = "BMP"
    I420 = "I420"
    NV21 = "NV21"
    YUYV = "YUYV"
    UYVY = "UYVY"
    BGRA8 = "BGRA8"
    GIF = "GIF"
    AVIF = "AVIF"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, not decoded yet.

    Attributes:
        data: the file, or the rows of a raw picture.
        format: how to read it.
        width_px, height_px, stride_bytes: of raw pictures; 0 stride = rows without padding.
        chroma_stride_bytes: of I420, from row to row of its chroma planes; 0 = half of the stride.
        plane_height_px: of NV12, NV21 and I420, rows of the luma plane with its padding; 0 = the height.
        rotation_degrees: the clockwise turn that makes it upright after its own EXIF orientation: 0, 90, 180 or 270.
    """

    data: bytes = field(repr=False)  # no traceback or log shows it
    format: PictureFormat = PictureFormat.SNIFF
    width_px: int = 0
    height_px: int = 0
    stride_bytes: int = 0
    chroma_stride_bytes: int = 0
    plane_height_px: int = 0
    rotation_degrees: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """A picture that was walked: its format and size, and what a decoder gets.

    Attributes:
        format: how its bytes are laid out; never SNIFF.
        width_px, height_px: as stored, before EXIF orientation.
        stride_bytes: from row to row, for raw pictures; 0 for encoded ones.
        chroma_stride_bytes, plane_height_px: as of a `Picture`; 0 for encoded ones.
        file: of an encoded picture, the parts of the file that were checked; b"" for raw ones.
        orientation: by which the stored picture is turned upright, 1 to 8 (EXIF 3.0, 4.6.5.1.6).
        passes: how often a decoder works through all pixels: the scans of a JPEG.
        is_cut: the file ends within the picture's data.
        remark: what is wrong with the file, though it is read; "" = nothing.
    """

    format: PictureFormat
    width_px: int
    height_px: int
    stride_bytes: int = 0
    chroma_stride_bytes: int = 0
    plane_height_px: int = 0
    file: bytes = field(default=b"", repr=False)
    orientation: int = 1
    passes: int = 1
    is_cut: bool = False
    remark: str = ""

    @property
    def pixel_count(self) -> int:
        """Pixels of the picture at full size."""
        return self.width_px * self.height_px


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The limits of a single picture.

    Attributes:
        max_frame_bytes: most bytes of a picture.
        max_pixels: most pixels of a picture.
    """

    max_frame_bytes: int
    max_pixels: int
