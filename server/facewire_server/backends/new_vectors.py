"""The embeddings that another model has made so far, in a file beside the gallery: an interrupted re-embedding goes on from it.

A SQLite file, which survives a process that is killed at any moment. It is readable by its owner only, and what is deleted from
it is overwritten. Whoever was deleted after an interruption is still in it, so a purge erases it, and the next run begins again.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_storage.erasing import erase
from facewire_server.backends.lmdb_storage.folder import FolderInUse, alone_in
from facewire_server.host.disk_faults import next_step
from facewire_server.host.private_files import make_private_folder, open_private

__all__ = ["VECTORS_FOLDER", "NewVector", "NewVectors", "erase_interrupted"]

VECTORS_FOLDER: Final = "reembed"
"""The name of the folder of such files in the data folder."""

_SUFFIX: Final = ".vectors"
"""What the name of a file ends with; SQLite adds to it for its journal."""

_NUMBER: Final = np.dtype("<f4")
"""Little-endian on every machine."""


class NewVector(NamedTuple):
    """The embedding of a kept crop.

    Attributes:
        embedding: (d,) float32, unit length.
        norm: its length before it was normalized; 0 = unknown.
    """

    embedding: NDArray[np.float32]
    norm: float


class NewVectors:
    """The file of one model contract, used by one process at a time."""

    def __init__(self, data: Path, contract_id: str) -> None:
        """Opens the file, and makes it if there is none.

        Args:
            data: folder of all that the server keeps.
            contract_id: of the model whose embeddings it is for.

        Raises:
            OSError: another process re-embeds, or it is no such file.
        """
        folder = data / VECTORS_FOLDER
        make_private_folder(folder)
        file = folder / f"{contract_id[:16]}{_SUFFIX}"
        with ExitStack() as lock:
            lock.enter_context(alone_in(folder))
            self._open(file)
            self._lock = lock.pop_all()

    def _open(self, file: Path) -> None:
        os.close(open_private(file))
        self._file = file
        self._database = sqlite3.connect(file, timeout=0.0)
        try:
            # SQLite removes its journal without overwriting it: it is kept, and erased with the file.
            for pragma in (
                *("locking_mode=EXCLUSIVE", "journal_mode=PERSIST"),
                *("secure_delete=ON", "temp_store=MEMORY"),
            ):
                self._database.execute(f"PRAGMA {pragma}")
            with self._database:
                self._database.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (gallery TEXT, template BLOB, embedding BLOB, norm REAL, "
                    "PRIMARY KEY (gallery, template)) WITHOUT ROWID"
                )
                self._database.execute("CREATE TABLE IF NOT EXISTS backups (path TEXT PRIMARY KEY)")
        except sqlite3.Error as error:
            self._database.close()
            remedy = "" if next_step(error) else "; remove the file"
            raise OSError(f"{file} cannot be used: {error}{remedy}") from error

    def __enter__(self) -> Self:
        """Returns itself; the file is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self._database.close()
        self._lock.close()

    def erase(self) -> None:
        """Closes the file and overwrites it, and its journal: nothing goes on from it."""
        self._database.close()
        for file in self._file.parent.glob(f"{self._file.name}*"):
            erase(file)

    def add(
        self,
        gallery_id: str,
        template_ids: Sequence[bytes],
        embeddings: NDArray[np.float32],
        norms: NDArray[np.float32],
    ) -> None:
        """Keeps embeddings, (n, d) and (n,), under the ids of their templates; all of them or none, and then raises OSError."""
        rows = [
            (gallery_id, template_id, embedding.astype(_NUMBER).tobytes(), float(norm))
            for template_id, embedding, norm in zip(template_ids, embeddings, norms, strict=True)
        ]
        with self._changing():
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def get(self, gallery_id: str, template_id: bytes) -> NewVector | None:
        """Returns the embedding of a template, or None if there is none yet."""
        query = "SELECT embedding, norm FROM vectors WHERE gallery = ? AND template = ?"
        found = self._database.execute(query, (gallery_id, template_id)).fetchone()
        if found is None:
            return None
        return NewVector(np.frombuffer(found[0], _NUMBER).astype(np.float32), found[1])

    def has(self, gallery_id: str, template_id: bytes) -> bool:
        """Whether a template has its embedding."""
        query = "SELECT 1 FROM vectors WHERE gallery = ? AND template = ?"
        return self._database.execute(query, (gallery_id, template_id)).fetchone() is not None

    def ids(self) -> list[tuple[str, bytes]]:
        """Returns gallery and template of all embeddings."""
        return self._database.execute("SELECT gallery, template FROM vectors").fetchall()

    def note_backup(self, path: Path) -> None:
        """Keeps that the backup at a path is of this re-embedding, before it is made; raises OSError."""
        with self._changing():
            self._database.execute("INSERT OR REPLACE INTO backups VALUES (?)", (str(path),))

    def has_noted(self, path: Path) -> bool:
        """Whether the backup at a path is of this re-embedding, which was interrupted."""
        query = "SELECT 1 FROM backups WHERE path = ?"
        return self._database.execute(query, (str(path),)).fetchone() is not None

    def delete(self, ids: Iterable[tuple[str, bytes]]) -> None:
        """Removes the embeddings of templates that were deleted; raises OSError."""
        with self._changing():
            self._database.executemany(
                "DELETE FROM vectors WHERE gallery = ? AND template = ?", ids
            )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with self._database:
                yield
        except sqlite3.Error as error:
            raise OSError(f"{self._file} cannot be written: {error}") from error


def erase_interrupted(data: Path) -> bool:
    """Erases what interrupted re-embeddings have left in the data folder, and returns whether there was any; nothing, while one runs.

    Raises:
        OSError: the disk takes no writes.
    """
    folder = data / VECTORS_FOLDER
    if folder.is_dir():
        with suppress(FolderInUse), alone_in(folder):
            files = list(folder.glob(f"*{_SUFFIX}*"))
            for file in files:
                erase(file)
            return bool(files)
    return False
