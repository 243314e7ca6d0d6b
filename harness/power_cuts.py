"""A power cut after any write or wait for the disk of a process: the files as they may be found afterwards.

What was waited for (fsync, fdatasync, or a write to a file opened with O_DSYNC) is there; of what was written later any part may be
there, a sector at a time, in any order; a new name is there if its folder was waited for, and may be there if not (POSIX, fsync). A
sector is written whole or not at all, as disks promise.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from harness import REPOSITORY

__all__ = ["Cut", "Record", "acknowledged", "cuts", "recorded"]

_HEADER: Final = struct.Struct("<ccHIQQ")
"""`struct header` of power_cut.c: kind, whether a write waits for the disk, bytes of path and data, inode, offset."""

_SECTOR_BYTES: Final = (512, 4096)
"""What a disk writes at once: sectors of old disks and of new ones."""

_NOTES: Final = "acknowledged"
"""The file into which the process writes what it has acknowledged; it is not lost."""


class Record(NamedTuple):
    """What a process did to a file.

    Attributes:
        kind: b"W" wrote, b"T" made longer, b"S" waited for the disk, b"C" made, b"N" gave a second name, b"R" renamed, b"U" removed.
        is_durable: a write that returned when it was on the disk.
        inode: of the file.
        offset: where it wrote, or the new length.
        path: of the file.
        data: what it wrote; of a rename, the path before.
    """

    kind: bytes
    is_durable: bool
    inode: int
    offset: int
    path: Path
    data: bytes


class Cut(NamedTuple):
    """The files after a power cut.

    Attributes:
        at: number of the record after which the power was cut.
        is_torn: a part of what was not waited for is there.
        names: content of each file that has a name, by its path in the folder.
        acknowledged: lines that the process had written to its file of notes.
    """

    at: int
    is_torn: bool
    names: dict[str, bytes]
    acknowledged: list[str]


def recorded(code: str, folder: Path, scratch: Path) -> list[Record]:
    """Runs Python code with the folder as its argument, and records what it does to the files there.

    Args:
        code: writes what it has acknowledged, a line each, to the file "acknowledged" in the folder.
        folder: an empty one.
        scratch: another one.

    Raises:
        FileNotFoundError: there is no C compiler.
        RuntimeError: the code failed.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise FileNotFoundError("cc")
    library, log = scratch / "power_cut.so", scratch / "power_cut.log"
    source = Path(__file__).with_name("power_cut.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    rooms = (REPOSITORY / "server", REPOSITORY / "clients/python", REPOSITORY, REPOSITORY / "tests")
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, rooms)),
            "LD_PRELOAD": str(library),
            "POWER_CUT_FOLDER": str(folder.resolve()),
            "POWER_CUT_LOG": str(log),
        },
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return list(_read(log.read_bytes()))


def acknowledged(records: Iterable[Record]) -> list[str]:
    """Returns the lines that the process had written to its file of notes in the end."""
    notes = b"".join(one.data for one in records if one.path.name == _NOTES)
    return notes.decode().split("\n")[:-1]


def cuts(records: Iterable[Record], folder: Path, seed: int, *, torn: int = 2) -> Iterator[Cut]:
    """Yields the files after a cut at each record: once without what was not waited for, and some times with a random part of it.

    Args:
        records: as `recorded` returned them.
        folder: of the files.
        seed: of the random parts.
        torn: how often with a random part.
    """
    chance = random.Random(seed)
    disk = _Disk(folder.resolve())
    for at, record in enumerate(records):
        disk.take(record)
        yield Cut(at, False, disk.after_cut(None), disk.acknowledged)
        if disk.has_pending:
            for _ in range(torn):
                yield Cut(at, True, disk.after_cut(chance), disk.acknowledged)


def _read(log: bytes) -> Iterator[Record]:
    place = 0
    while place < len(log):
        kind, durable, path_bytes, data_bytes, inode, offset = _HEADER.unpack_from(log, place)
        place += _HEADER.size
        path = Path(os.fsdecode(log[place : place + path_bytes]))
        place += path_bytes
        yield Record(kind, durable != b"\0", inode, offset, path, log[place : place + data_bytes])
        place += data_bytes


class _Disk:
    """What is on the disk, and what is on its way there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._durable: dict[int, bytearray] = {}
        self._pending: dict[int, list[tuple[int, bytes]]] = {}
        self._names: dict[Path, int] = {}
        self._namings: list[Record] = []
        self._notes = b""

    @property
    def acknowledged(self) -> list[str]:
        """The whole lines of the notes."""
        return self._notes.decode().split("\n")[:-1]

    @property
    def has_pending(self) -> bool:
        """Whether anything was not waited for."""
        return any(self._pending.values()) or bool(self._namings)

    def take(self, record: Record) -> None:
        """Takes the next record."""
        durable = self._durable.setdefault(record.inode, bytearray())
        pending = self._pending.setdefault(record.inode, [])
        if record.path.name == _NOTES:
            self._notes += record.data
        elif record.kind in (b"C", b"N", b"R", b"U"):
            if record.kind == b"C":  # of a file that was removed, whose number is given again
                self._durable[record.inode] = bytearray()
                self._pending[record.inode] = []
            self._namings.append(record)
        elif record.kind == b"T":  # as long as that: a byte that is not there yet
            pending.append((record.offset, b""))
        elif record.kind == b"W" and record.is_durable:
            _put(durable, record.offset, record.data)
        elif record.kind == b"W":
            pending.append((record.offset, record.data))
        elif record.kind == b"S":
            for offset, data in pending:
                _put(durable, offset, data)
            pending.clear()
            for one in [naming for naming in self._namings if naming.path.parent == record.path]:
                _name(self._names, one)
                self._namings.remove(one)

    def after_cut(self, chance: random.Random | None) -> dict[str, bytes]:
        """Returns the files by their paths in the folder; without a source of chance nothing is there that was not waited for."""
        names = dict(self._names)
        if chance is not None:
            left_out: set[Path] = set()
            for one in self._namings:
                paths = {one.path, *([Path(os.fsdecode(one.data))] if one.data else [])}
                # Of one name the changes are in order: a file is not made under it before the other one gave it up.
                if paths & left_out or chance.random() < 0.5:
                    left_out |= paths
                else:
                    _name(names, one)
        return {
            str(path.relative_to(self._folder)): self._content(inode, chance)
            for path, inode in names.items()
        }

    def _content(self, inode: int, chance: random.Random | None) -> bytes:
        content = bytearray(self._durable[inode])
        if chance is not None:
            size, share = chance.choice(_SECTOR_BYTES), chance.random()
            for offset, data in self._pending[inode]:
                if not data and chance.random() < share:
                    _put(content, offset, data)
                for start in range(0, len(data), size):
                    if chance.random() < share:
                        _put(content, offset + start, data[start : start + size])
        return bytes(content)


def _name(names: dict[Path, int], naming: Record) -> None:
    """Names a file, or removes its name."""
    if naming.kind == b"U":
        names.pop(naming.path, None)
        return
    if naming.kind == b"R":
        names.pop(Path(os.fsdecode(naming.data)), None)
    names[naming.path] = naming.inode


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
