"""OpenCV for the commands that need it: loaded late, quiet, and asked for where it is missing."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from facewire.cli._session import usage_error

__all__ = ["drawing", "video"]


def video() -> ModuleType:
    """The module `facewire.video`.

    Raises:
        typer.Exit: OpenCV is not installed.
    """
    # It is told in our words what cannot be opened; OpenCV and FFmpeg say it in many.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        from facewire import video
    except ModuleNotFoundError as error:
        if error.name not in ("cv2", "numpy"):
            raise
        raise usage_error(str(error)) from error
    return video


def drawing() -> tuple[Callable[..., Any], Callable[[Path, Any], None]]:
    """`facewire.video.annotate`, and what writes its pictures.

    Raises:
        typer.Exit: OpenCV is not installed.
    """
    annotate: Callable[..., Any] = video().annotate
    import cv2

    def write(path: Path, rgb: Any) -> None:
        try:
            done = cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error:  # a suffix that it does not know
            done = False
        if not done:
            raise OSError(f"{path}: a picture cannot be written there. Use .jpg or .png.")

    return annotate, write
