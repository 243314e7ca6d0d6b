"""Films as cameras, recorders and phones write them, made by PyAV."""

import os
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["AV1", "INTERLACED", "blank", "combs", "gray", "turned", "woven", "write_film"]

AV1 = "libsvtav1" if "libsvtav1" in av.codecs_available else "libaom-av1"
"""The encoder of AV1: PyAV's wheels have had one of the two."""

INTERLACED = {"x264-params": "interlaced=1"}
"""Options of libx264: a DVR's film, the earlier moment in the odd lines, since PyAV's frames cannot say otherwise."""


def gray(level: int, size: tuple[int, int] = (96, 64)) -> NDArray[np.uint8]:
    """A picture of one gray, (height, width, 3) uint8."""
    return np.full((size[1], size[0], 3), level, np.uint8)


def woven(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An interlaced picture of two moments: the first in its odd lines, the second in the even ones."""
    picture = second.copy()
    picture[1::2] = first[1::2]
    return picture


def combs(picture: NDArray[Any]) -> float:
    """How much each line differs from both of its neighbors: high where two moments are woven."""
    lines = picture.astype(np.float64)
    return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())


def write_film(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    fps: int = 10,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    stamp: Callable[[int], int] = int,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Writes BGR pictures of one size; the format is that of the path's suffix.

    Args:
        path: the film's.
        pictures: (height, width, 3) uint8 BGR.
        fps: frames a second.
        codec: an encoder of FFmpeg's.
        options: of the encoder.
        container_options: of the format.
        stamp: the time stamp of the n-th picture, in frames.
        pix_fmt: as FFmpeg names it.
    """
    stream: Any = None
    with (
        _priority_kept(),
        av.open(str(path), "w", options=container_options or {}) as film,
    ):
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = film.add_stream(codec, rate=fps)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = pix_fmt
                stream.options = {"preset": "ultrafast"} if codec == "libx264" else {}
                stream.options |= options or {}
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = stamp(number), Fraction(1, fps)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


@contextmanager
def _priority_kept() -> Iterator[None]:
    """Restores the scheduling policy of this thread at the end of the block.

    SVT-AV1, the wheel's one encoder of AV1, makes the thread that opens it, and so all processes that it starts afterwards, one of real time
    (SCHED_FIFO, 99) if root runs it: then nothing else on the machine gets a processor.
    https://github.com/OpenVisualCloud/SVT-HEVC/pull/73 is where its family began to do so.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def turned(path: Path, degrees: int, *, mirrored: bool = False) -> None:
    """Writes into an MP4 film how players show it, as phones do.

    Args:
        path: the film's.
        degrees: the clockwise turn: 0, 90, 180 or 270.
        mirrored: whether left and right are exchanged before that.
    """
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    film = bytearray(path.read_bytes())
    matrix_at = film.index(b"tkhd") + 44
    one, w, x = 1 << 16, 1 << 30, -1 if mirrored else 1
    matrix = (x * cosine * one, x * sine * one, 0, -sine * one, cosine * one, 0, 0, 0, w)
    film[matrix_at : matrix_at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(film)


def blank(path: Path) -> None:
    """Overwrites the pictures of an MP4 film whose index comes last: its header promises what is not there."""
    film = bytearray(path.read_bytes())
    begin, end = film.index(b"mdat") + 4, film.rindex(b"moov") - 4
    film[begin:end] = bytes(end - begin)
    path.write_bytes(film)
