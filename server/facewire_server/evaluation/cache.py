"""Keeps the faces of pictures between runs, in a folder that the operator names: biometric data."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from facewire_server.pipeline.acquire import Acquired
from facewire_server.types import Quality

__all__ = ["FaceCache", "face_cache"]

_FILE: Final = "faces.sqlite"

_KEPT: Final = ("inter_eye_px", "sharpness", "brightness", "directional_sharpness", "yaw", "pitch")
"""Of a quality; norm and faults are not of the picture alone."""


class FaceCache:
    """What `Acquirer.acquire` returned, by the bytes of the picture and all that shapes the answer.

    Each answer is durable when `keep` returns, so a run that was killed goes on where it was.
    """

    def __init__(self, storage: sqlite3.Connection, configuration: str) -> None:
        """Takes the storage; use `face_cache`."""
        self._storage = storage
        self._configuration = configuration

    def find(self, digest: str) -> Acquired | int | None:
        """Returns what was kept of a picture; None = nothing."""
        row = self._storage.execute(
            "SELECT described, vectors FROM faces WHERE configuration = ? AND picture = ?",
            (self._configuration, digest),
        ).fetchone()
        if row is None:
            return None
        described = json.loads(row[0])
        if "quality" not in described:
            return int(described["face_count"])
        probe, template = np.frombuffer(row[1], np.float32).reshape(2, -1)
        return Acquired(
            described["face_count"],
            np.array(described["box"], np.float32),
            Quality(**dict(zip(_KEPT, described["quality"], strict=True))),
            described["eye_brightness"],
            described["norm"],
            probe,
            template,
        )

    def keep(self, digest: str, answer: Acquired | int) -> None:
        """Keeps an answer."""
        described: dict[str, Any] = {"face_count": answer}
        vectors = b""
        if isinstance(answer, Acquired):
            described = {
                "face_count": answer.face_count,
                "box": answer.box.tolist(),
                "quality": [float(getattr(answer.quality, name)) for name in _KEPT],
                "eye_brightness": answer.eye_brightness,
                "norm": answer.norm,
            }
            vectors = np.stack([answer.probe, answer.template]).tobytes()
        with self._storage:
            self._storage.execute(
                "INSERT OR REPLACE INTO faces VALUES (?, ?, ?, ?)",
                (self._configuration, digest, json.dumps(described), vectors),
            )


@contextmanager
def face_cache(folder: Path | None, configuration: str) -> Iterator[FaceCache]:
    """Opens the cache for the block.

    Args:
        folder: made with mode 0700 if it does not exist; its file has 0600. None = memory.
        configuration: the model contract's id and all else that shapes an answer.

    Raises:
        OSError: the folder cannot be used.
    """
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        with closing(sqlite3.connect(":memory:" if folder is None else folder / _FILE)) as storage:
            storage.execute(
                "CREATE TABLE IF NOT EXISTS faces (configuration TEXT, picture TEXT, described TEXT, vectors BLOB, "
                "PRIMARY KEY (configuration, picture)) WITHOUT ROWID"
            )
            yield FaceCache(storage, hashlib.sha256(configuration.encode()).hexdigest())
    except sqlite3.Error as error:
        raise OSError(f"{folder} cannot keep embeddings: {error}") from error
