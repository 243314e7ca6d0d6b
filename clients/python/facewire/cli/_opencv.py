"""PyAV and OpenCV for the commands that need them: imported late, silenced, with advice if one is missing."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from facewire import Face, Image
from facewire.cli._session import usage_error

__all__ = ["painting", "video"]


def video() -> ModuleType:
    """Returns the module `facewire.video`.

    Raises:
        typer.Exit: PyAV or OpenCV is not installed.
    """
    # We report open errors ourselves; silence OpenCV and its FFmpeg. PyAV's is silent.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        from facewire import video
    except ModuleNotFoundError as error:
        if error.name not in ("av", "cv2", "numpy"):
            raise
        raise usage_error(str(error)) from error
    return video


def painting() -> Callable[..., None]:
    """Returns `paint(picture, image, faces, into, reasons=())`, which paints faces with `facewire.video.annotate` into a file.

    Raises:
        typer.Exit: PyAV or OpenCV is not installed.
    """
    annotate: Callable[..., Any] = video().annotate
    import cv2

    def paint(
        picture: Path, image: Image, faces: Sequence[Face], into: Path, reasons: Sequence[str] = ()
    ) -> None:
        try:
            rgb = annotate(image, faces, reasons=reasons)
        except ValueError:
            raise OSError(f"{picture}: OpenCV cannot read it, so it cannot be painted.") from None
        try:
            _, data = cv2.imencode(into.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error:  # a suffix that it does not know
            raise OSError(f"{into}: a picture cannot be written there. Use .jpg or .png.") from None
        into.write_bytes(data.tobytes())  # not by OpenCV, which takes names in UTF-8 only

    return paint
