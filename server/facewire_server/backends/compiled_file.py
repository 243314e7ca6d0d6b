"""Keeps what OpenVINO has compiled beside the SavedModel, so that the next start need not compile it.

OpenVINO's own cache (CACHE_DIR) writes in place a file that other processes have mapped, and does not find damage
(https://github.com/openvinotoolkit/openvino/pull/35132). So a file here is whole or absent, and begins with its checksum.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["CompiledFile"]

_FOLDER: Final = ".compiled"
"""In the folder of the servable; TensorFlow Serving reads numbered folders only."""

_MOST_FILES: Final = 8
"""Files kept in the folder: two signatures, for four versions of OpenVINO or of the model, or processors. Chosen, not measured."""

_PART: Final = ".part"
"""Ends the name of a file that is being written."""

_LEFT_AFTER_S: Final = 3600.0
"""Seconds after which a part is taken for one that a killed process left: it is written in less than one. Chosen, not measured."""

_MOST_BYTES: Final = 16 << 20
"""Size of the largest SavedModel that is kept, bytes. Constants from a file are in memory once for each time that the network is
compiled, else once. SFace (39 MB) is read and compiled twice in .5 s of a processor, the cascade (2 MB) in 2.1 s."""

_PROCESSOR: Final = Path("/proc/cpuinfo")
"""What Linux says about the processor (proc(5))."""

_CHECKSUM: Final = hashlib.sha256
"""FIPS 180-4."""

_CHECKSUM_BYTES: Final = 32
"""Its size, bytes."""


class CompiledFile:
    """The file of one network, for this processor.

    Attributes:
        is_kept: the SavedModel is small enough.
    """

    def __init__(self, saved_model: Path, facts: Iterable[str]) -> None:
        """Finds its name; reads the SavedModel.

        Args:
            saved_model: the folder of the version.
            facts: what else the compiled network follows from.

        Raises:
            OSError: the SavedModel cannot be read.
        """
        variables = sorted((saved_model / "variables").glob("*"))
        files = (saved_model / "saved_model.pb", *variables)
        self._path = saved_model.parent / _FOLDER
        self.is_kept = sum(file.stat().st_size for file in files) <= _MOST_BYTES
        if self.is_kept:
            found = [each for file in files for each in (file.name.encode(), file.read_bytes())]
            digest = _CHECKSUM()
            for one in (*found, *(fact.encode() for fact in (*facts, _processor()))):
                digest.update(len(one).to_bytes(8) + one)
            self._path /= digest.hexdigest()

    def read(self) -> bytes | None:
        """Returns what was kept; None = nothing, or it is damaged."""
        if not self.is_kept:
            return None
        try:
            whole = self._path.read_bytes()
        except OSError:
            return None
        checksum, compiled = whole[:_CHECKSUM_BYTES], whole[_CHECKSUM_BYTES:]
        return compiled if checksum == _CHECKSUM(compiled).digest() else None

    def keep(self, compiled: bytes) -> None:
        """Keeps it in the place of what was there, unless the folder cannot be written: then each start compiles."""
        part = self._path.with_name(f"{secrets.token_hex(8)}{_PART}")
        with suppress(OSError):
            make_private_folder(part.parent)
            try:
                with os.fdopen(open_private(part, os.O_WRONLY | os.O_EXCL), "wb") as file:
                    file.write(_CHECKSUM(compiled).digest() + compiled)
                part.replace(self._path)
            finally:
                part.unlink(missing_ok=True)
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        newest_first = sorted(self._path.parent.iterdir(), key=_age, reverse=True)
        whole = [file for file in newest_first if file.suffix != _PART]
        left = [file for file in newest_first if file.suffix == _PART and _is_left(file)]
        for file in (*whole[_MOST_FILES:], *left):
            file.unlink(missing_ok=True)


def _is_left(part: Path) -> bool:
    """Whether a process that was killed left it: another one may be writing a younger one."""
    return time.time() - part.stat().st_mtime > _LEFT_AFTER_S


def _age(file: Path) -> int:
    return file.stat().st_mtime_ns


def _processor() -> str:
    """Returns the instructions of the processor, from which the code is chosen; "" where the kernel does not say."""
    with suppress(OSError), _PROCESSOR.open() as lines:
        return next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return ""
