"""Adds a key for the CompreFace door: `python -m facewire_console.compreface FILE GALLERY`."""

import argparse
import sys
from pathlib import Path

from facewire_console.compreface.keys import KeyFileError, add_key

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Adds a key to a file, prints it once, and returns the exit status: 0, or 1 if the file or the gallery cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m facewire_console.compreface",
        description="Adds an API key for the CompreFace door, and prints it. The file keeps its hash only.",
    )
    parser.add_argument("file", type=Path, help="of the keys; it is made if there is none")
    parser.add_argument("gallery", nargs="?", default="default", help="that the key is for")
    chosen = parser.parse_args(arguments)
    try:
        print(add_key(chosen.file, chosen.gallery))
    except KeyFileError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
