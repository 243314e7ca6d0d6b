"""PyAV and OpenCV for the commands that need them: imported late, silenced, with advice if one is missing."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

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


def painting() -> tuple[Callable[..., Any], Callable[[Path, Any], None]]:
    """Returns `facewire.video.annotate`, and a function that writes its pictures.

    Raises:
        typer.Exit: PyAV or OpenCV is not installed.
    """
    annotate: Callable[..., Any] = video().annotate
    import cv2

    def write(path: Path, rgb: Any) -> None:
        try:
            _, data = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error:  # a suffix that it does not know
            raise OSError(f"{path}: a picture cannot be written there. Use .jpg or .png.") from None
        path.write_bytes(data.tobytes())  # not by OpenCV, which takes names in UTF-8 only

    return annotate, write
