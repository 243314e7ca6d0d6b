"""Pictures of all kinds, and how their bytes are read.

Arrays are read through the buffer protocol (PEP 3118), so numpy is never imported.
"""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast

from facewire._values.enums import FramePolicy, ImageFormat
from facewire._values.heic import is_heic, jpeg_of_heic

__all__ = [
    "Array",
    "Frame",
    "Image",
    "Picture",
    "as_pictures",
    "is_live",
    "is_picture",
    "policy_of",
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
            array: uint8, (height, width, 3) or, gray, (height, width); with `bgr` also (height, width, 4),
                whose fourth channel is ignored. It need not be contiguous.
            bgr: the channels are blue, green, red, as in OpenCV.

        Raises:
            ValueError: the array is of another shape or type.
        """
        with _view(array) as view:
            shape = view.shape or ()
            layout = ImageFormat.GRAY8
            if len(shape) != 2:
                layout = _ARRAY_FORMATS.get((shape[2:], bgr), ImageFormat.UNSPECIFIED)
            if view.format != "B" or layout is ImageFormat.UNSPECIFIED:
                raise ValueError(
                    "an array of a picture is uint8 of shape (height, width, 3) or (height, width), or "
                    f"with bgr=True (height, width, 4), not {view.format!r} of shape {shape}"
                )
            return cls(view.tobytes(), format=layout, width_px=shape[1], height_px=shape[0])

    @classmethod
    def from_planes(cls, planes: Iterable[Array | memoryview], format: ImageFormat) -> Self:
        """Takes a raw picture of several planes, each an array, as FFmpeg and Android deliver them.

        Planes that follow each other in one buffer need not be taken apart: `Image(buffer, format, ...)`.

        Args:
            planes: uint8, which need not be contiguous. I420: luma (height, width), then Cb and Cr, each
                (height / 2, width / 2). NV12, NV21: luma, then the chroma of both kinds,
                (height / 2, width) or (height / 2, width / 2, 2).
            format: I420, NV12 or NV21.

        Raises:
            ValueError: planes of another number, shape or type, or another format.
        """
        views = [_view(plane) for plane in planes]
        shapes = [view.shape or () for view in views]
        sizes = [(shape[0], math.prod(shape[1:])) for shape in shapes if len(shape) > 1]
        height_px, width_px = sizes[0] if sizes else (0, 0)
        chroma_count, columns = _CHROMA.get(format, (0, 1))
        chroma = [(height_px // 2, width_px // columns)] * chroma_count
        is_bytes = all(view.format == "B" for view in views)
        if not chroma or sizes != [(height_px, width_px), *chroma] or not is_bytes:
            raise ValueError(
                f"these are not the planes of a picture in {format.value}: {len(views)} of shapes {shapes}"
            )
        data = b"".join(view.tobytes() for view in views)
        return cls(data, format=format, width_px=width_px, height_px=height_px)


_ARRAY_FORMATS: dict[tuple[tuple[int, ...], bool], ImageFormat] = {
    ((3,), False): ImageFormat.RGB8,
    ((3,), True): ImageFormat.BGR8,
    ((4,), True): ImageFormat.BGRA8,
}
"""Formats of arrays by their channels, and whether these are in OpenCV's order."""

_CHROMA = {ImageFormat.I420: (2, 2), ImageFormat.NV12: (1, 1), ImageFormat.NV21: (1, 1)}
"""Formats of several planes: how many of them hold chroma, and how many pixels share a byte of its rows."""

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


def is_live(frames: object) -> bool:
    """Returns whether frames say that they run on without being read: their `live`, or no."""
    return bool(getattr(frames, "live", False))


def policy_of(frames: object) -> FramePolicy:
    """Returns what is to happen to frames that come too fast, by what they say of themselves; UNSPECIFIED if they say nothing.

    `every_frame` says it; of frames without it `live` does, since what waits to be read need not be skipped.
    """
    every_frame = getattr(frames, "every_frame", None)
    if every_frame is None and (live := getattr(frames, "live", None)) is not None:
        every_frame = not live
    if every_frame is None:
        return FramePolicy.UNSPECIFIED
    return FramePolicy.EVERY_FRAME if every_frame else FramePolicy.NEWEST_WINS


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
