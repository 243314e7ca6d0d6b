"""Writes pictures as a film."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire.video._names import name_for_opencv

__all__ = ["FilmWriter"]

_LONGEST_STILL_S = 2.0
"""Most seconds that a picture is shown: a camera's pause of hours must not become hours of film. Chosen, not
measured."""

_USUAL_FPS = 25.0
"""Frames a second of a film if the source states none that is usable: that of European television."""


class FilmWriter:
    """Writes pictures to a file, each shown from its time to the next one's.

    A context manager; the file is playable after its end. A gap of more than 2 s is
    cut to 2 s.

    Args:
        path: an .mp4 or .avi file; replaced if it exists.
        fps: frames a second of the film; outside of 1 to 120, as in headers of damaged films,
            25 is used.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], fps: float) -> None:
        self._path = Path(path)
        self._fps = fps if 1 <= fps <= 120 else _USUAL_FPS
        self._writer: Any = None
        self._size = (0, 0)
        self._last: Any = None
        self._last_s = 0.0
        self._shown_s = 0.0
        self._written_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._put(self._last)
            self._writer.release()

    def write(self, picture: NDArray[np.uint8], at_s: float) -> None:
        """Adds a picture; one of another size than the first is scaled to fit into that, in its own proportions.

        Args:
            picture: (height, width, 3) uint8 RGB.
            at_s: its time; times do not decrease.
        """
        if self._writer is None:
            self._open(picture)
            self._last_s = at_s
        self._shown_s += min(at_s - self._last_s, _LONGEST_STILL_S)
        self._last_s = at_s
        while self._written_count < round(self._shown_s * self._fps):
            self._put(self._last)
        self._last = self._fitted(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def _put(self, bgr: Any) -> None:
        self._writer.write(bgr)
        self._written_count += 1

    def _fitted(self, bgr: Any) -> Any:
        """Returns a picture at the film's size, with black beside it if it has other proportions."""
        height, width = bgr.shape[:2]
        if (width - width % 2, height - height % 2) == self._size:
            return bgr[: self._size[1], : self._size[0]]
        scale = min(self._size[0] / width, self._size[1] / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        scaled = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        across, down = self._size[0] - size[0], self._size[1] - size[1]
        return cv2.copyMakeBorder(
            scaled, down // 2, down - down // 2, across // 2, across - across // 2,
            cv2.BORDER_CONSTANT,
        )  # fmt: skip

    def _open(self, picture: NDArray[np.uint8]) -> None:
        # Codecs of films take even sizes only.
        height, width = (side - side % 2 for side in picture.shape[:2])
        self._size = width, height
        codec = "MJPG" if self._path.suffix.lower() == ".avi" else "mp4v"
        self._writer = cv2.VideoWriter(
            name_for_opencv(self._path), cv2.VideoWriter.fourcc(*codec), self._fps, self._size
        )
        if not self._writer.isOpened():
            raise OSError(f"{self._path}: OpenCV cannot write a film there. Use .mp4 or .avi.")
