"""Options of several commands."""

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["GalleryOption", "JsonOption", "MinFaceOption", "Rotation"]

GalleryOption = Annotated[
    str, typer.Option("--gallery", "-g", help="The gallery to search, or to add to.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
MinFaceOption = Annotated[
    int | None,
    typer.Option(
        "--min-face-px",
        min=8,
        max=65535,
        help="Smallest face to find, pixels. Smaller is slower.",
        show_default="a part of the picture's shorter side",
    ),
]


class Rotation(StrEnum):
    """The turns that a server can make. Text, since typer 0.15 compares a default with the choices as texts."""

    NONE = "0"
    RIGHT = "90"
    OVER = "180"
    LEFT = "270"
