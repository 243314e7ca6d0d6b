"""Pictures of all kinds, and how their bytes are read.

Arrays are read through the buffer protocol (PEP 3118), so numpy is never imported.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast

from facewire._values.enums import ImageFormat
from facewire._values.heic import is_heic, jpeg_of_heic

__all__ = [
    "Array",
    "Frame",
    "Image",
    "Picture",
    "as_pictures",
    "is_picture",
    "require_frames",
    "rotation_of",
    "to_image",
]

T = TypeVar("T")


class Array(Protocol):
    """A numpy array, or what behaves like one and has the buffer protocol."""

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Numpy's mark of an array; only its presence is used, by type checkers."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture, encoded or raw, as the contract carries it.

    Attributes:
        data: the file's bytes, or the rows of a raw picture from top to bottom.
        format: the layout of `data`. Encoded pictures may leave it unset.
        width_px: raw formats only.
        height_px: raw formats only.
        stride_bytes: raw formats only: from one row to the next; 0 if rows follow each other without a gap.
        chroma_stride_bytes: I420 only: from one row of a chroma plane to the next; 0 if half of `stride_bytes`.
        plane_height_px: NV12, NV21 and I420 only: rows of the luma plane, padding included; 0 if `height_px`.
    """

    data: bytes
    format: ImageFormat = ImageFormat.UNSPECIFIED
    width_px: int = 0
    height_px: int = 0
    stride_bytes: int = 0
    chroma_stride_bytes: int = 0
    plane_height_px: int = 0

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Reads an encoded picture as it is (JPEG, PNG, WebP, BMP, GIF, AVIF), or HEIC as JPEG.

        Raises:
            OSError: the file cannot be read.
            ValueError: as `from_bytes`.
        """
        return cls.from_bytes(Path(path).read_bytes(), name=os.fsdecode(path))

    @classmethod
    def from_bytes(cls, data: bytes, *, name: str = "the picture") -> Self:
        """Takes the bytes of a file: as they are, but of a HEIC file its picture as JPEG, upright.

        Args:
            data: the file.
            name: the file's name, for errors.

        Raises:
            ValueError: a HEIC file, and the extra `facewire[heic]` is not installed, or the file is damaged.
        """
        return cls(jpeg_of_heic(data, name) if is_heic(data) else data)

    @classmethod
    def from_array(cls, array: Array | memoryview, *, bgr: bool = False) -> Self:
        """Takes a raw picture from an array.

        Args:
            array: uint8, (height, width, 3) or, gray, (height, width). It need not be
                contiguous.
            bgr: the channels are blue, green, red, as in OpenCV.

        Raises:
            ValueError: the array is of another shape or type.
        """
        with _view(array) as view:
            shape = view.shape or ()
            gray = len(shape) == 2
            if view.format != "B" or not (gray or (len(shape) == 3 and shape[2] == 3)):
                raise ValueError(
                    "an array of a picture is uint8 of shape (height, width, 3) or "
                    f"(height, width), not {view.format!r} of shape {shape}"
                )
            color = ImageFormat.BGR8 if bgr else ImageFormat.RGB8
            return cls(
                view.tobytes(),
                format=ImageFormat.GRAY8 if gray else color,
                width_px=shape[1],
                height_px=shape[0],
            )


Picture = Image | bytes | bytearray | memoryview | Array | str | os.PathLike[str]
"""A picture: a path; the bytes of a JPEG, PNG, WebP, BMP, GIF or AVIF file; an array, uint8,
(height, width, 3) in RGB order or (height, width) gray; or an `Image`.

Files of HEIC are read by their paths, or through `Image.from_bytes`: a server does not read them.

OpenCV's arrays are BGR: pass `Image.from_array(array, bgr=True)`.
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a stream with the time of its capture.

    Attributes:
        picture: the picture.
        captured_at_us: the camera's monotonic clock, microseconds; the frame's result carries
            it, and the server never reads it as a time of day.
    """

    picture: Picture
    captured_at_us: int = 0


def is_picture(value: object) -> bool:
    """Returns whether it is one picture: a path, bytes and an array are iterable, too."""
    kinds = Image | bytes | bytearray | memoryview | str | os.PathLike
    return isinstance(value, kinds) or hasattr(value, "__array_interface__")


def as_pictures(pictures: Picture | Iterable[Picture]) -> Iterable[Picture]:
    """Returns the pictures; a single one as a tuple."""
    if is_picture(pictures):
        return (cast(Picture, pictures),)
    return cast(Iterable[Picture], pictures)


def require_frames(frames: T) -> T:
    """Returns the frames of a stream, unless they are one picture.

    A picture is iterable, too: its bytes or rows would be taken for frames.

    Raises:
        TypeError: they are one picture.
    """
    if is_picture(frames):
        raise TypeError(
            "frames are many pictures, one after the other: facewire.video.Camera(path) reads "
            "those of a film, and [picture] is a single one"
        )
    return frames


def rotation_of(frames: object) -> int:
    """Returns the clockwise turn that makes frames upright, degrees: their `rotation_degrees`, or 0."""
    return int(getattr(frames, "rotation_degrees", 0))


def to_image(picture: Picture) -> Image:
    """Reads a picture of any kind.

    Raises:
        OSError: the path cannot be read.
        ValueError: the array is not a picture, or the path is of a HEIC file that cannot be read here.
        TypeError: it is of another type.
    """
    if isinstance(picture, Image):
        return picture
    if isinstance(picture, bytes):
        return Image(picture)
    if isinstance(picture, str | os.PathLike):
        return Image.from_file(picture)
    with _view(picture) as view:
        # One dimension is a file's bytes: a bytearray, or what cv2.imencode returns.
        return Image(view.tobytes()) if view.ndim == 1 else Image.from_array(view)


def _view(array: Any) -> memoryview:
    try:
        return memoryview(array)
    except TypeError:
        raise TypeError(
            f"a picture is a path, bytes, an array or an Image, not {type(array).__name__}"
        ) from None
