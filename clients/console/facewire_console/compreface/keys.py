"""The keys of the door: each names a gallery, and only its hash is kept.

A line of the file is the SHA-256 of a key, a space and a gallery's id; empty lines and lines that begin with "#" are skipped. A fast hash without
a salt suffices: a key has 122 random bits, which cannot be tried out.
"""

import hashlib
import os
import re
import stat
import uuid
from pathlib import Path
from typing import Final

__all__ = ["KeyFile", "KeyFileError", "add_key"]

_LINE: Final = re.compile(r"([0-9a-f]{64}) ([a-z0-9_.-]{1,64})")
_GALLERY: Final = re.compile(r"[a-z0-9_.-]{1,64}")

_MOST_BYTES: Final = 1 << 20
"""Bytes of a file of keys: more than 7,000 keys. Chosen, not measured."""


class KeyFileError(Exception):
    """A file of keys cannot be used; the text says why, and holds no key."""


class KeyFile:
    """The keys of a file, which is read again after it was changed: a key whose line is gone opens nothing.

    If the changed file cannot be used, no key opens anything until it can.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file.

        Raises:
            KeyFileError: it cannot be used.
        """
        self._path = path
        self._galleries: dict[str, str] = {}
        self._read_at: tuple[int, int, int] | None = None
        self._refresh()

    def gallery_of(self, key: str) -> str | None:
        """Returns the id of the gallery that a key is for; None if there is no such key.

        Raises:
            KeyFileError: the file was changed, and cannot be used.
        """
        self._refresh()
        return self._galleries.get(_hash(key))

    def _refresh(self) -> None:
        try:
            state = self._path.stat()
            changed_at = (state.st_ino, state.st_mtime_ns, state.st_size)
            if changed_at == self._read_at:
                return
            self._galleries, self._read_at = {}, None
            _check(state)
            text = self._path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            self._galleries, self._read_at = {}, None
            reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
            raise KeyFileError(f"{self._path}: {reason}") from None
        self._galleries = dict(_parsed(text, self._path))
        self._read_at = changed_at


def add_key(path: Path, gallery: str) -> str:
    """Adds a key for a gallery to a file, which is made if there is none, and returns the key: it is kept nowhere.

    Raises:
        KeyFileError: the file, or the id of the gallery, cannot be used.
    """
    if not _GALLERY.fullmatch(gallery):
        raise KeyFileError('a gallery id is 1 to 64 of a-z, 0-9, "-", "_", "."')
    key = str(uuid.uuid4())
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    try:
        with open(os.open(path, flags, 0o600), "a", encoding="ascii") as file:
            _check(os.fstat(file.fileno()))
            file.write(f"{_hash(key)} {gallery}\n")
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    return key


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _check(state: os.stat_result) -> None:
    """Refuses a file that others may write, for they could add a key of their own, and one that is no list of keys."""
    if not stat.S_ISREG(state.st_mode):
        raise KeyFileError("the file of keys is not a file")
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeyFileError("the file of keys may be written by its group or by others: chmod 600")
    if state.st_size > _MOST_BYTES:
        raise KeyFileError(f"the file of keys has more than {_MOST_BYTES} bytes")


def _parsed(text: str, path: Path) -> list[tuple[str, str]]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise KeyFileError(f"{path}, line {number}: not a SHA-256 and a gallery's id")
        found.append((match[1], match[2]))
    return found
