"""Options that several commands have."""

from typing import Annotated

import typer

__all__ = ["GalleryOption", "JsonOption", "MinFaceOption"]

GalleryOption = Annotated[
    str, typer.Option("--gallery", "-g", help="Whom to look for, or where to add.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
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
