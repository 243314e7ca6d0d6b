"""Which files and folders other users of this machine may read, although they should not."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["readable_by_others"]

_OTHERS = 0o007
"""The rights of users that are neither the owner nor of the group. A group may be meant to read a secret."""


def readable_by_others(paths: Iterable[Path | None]) -> list[tuple[str, str]]:
    """Returns path and mode, such as "0644", of each that exists and gives others a right; None is left out."""
    found = []
    for path in paths:
        try:
            mode = path.stat().st_mode & 0o777 if path else 0
        except OSError:
            continue
        if mode & _OTHERS:
            found.append((str(path), f"0{mode:03o}"))
    return found
