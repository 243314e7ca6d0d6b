"""Pictures of a command that needs each of them."""

from pathlib import Path

from facewire import Image
from facewire.cli._interrupts import raised_by_ctrl_c
from facewire.cli._session import usage_error

__all__ = ["read_picture", "source_of"]

_SOURCE_BYTES = 256
"""The contract's limit of `source`, bytes."""


def read_picture(path: Path) -> Image:
    """Returns the picture of a file.

    Raises:
        typer.Exit: a HEIC file that cannot be read here.
        OSError: the file cannot be read.
    """
    try:
        with raised_by_ctrl_c():
            return Image.from_file(path)
    except ValueError as error:
        raise usage_error(str(error)) from error


def source_of(name: str) -> str:
    """Returns what an embedding says of its origin: a name, as far as the contract takes it."""
    return name.encode(errors="replace")[:_SOURCE_BYTES].decode(errors="ignore")
