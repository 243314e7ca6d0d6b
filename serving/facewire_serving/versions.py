"""The version folders of one model: the newest is loaded and served, then older ones are unloaded.

TensorFlow Serving does the same by default: it reads the folder every second, takes the highest number,
loads and warms it up while the old one goes on serving, and only then unloads the old one.
"""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from facewire_serving import warm_up
from facewire_serving.engines import Run

__all__ = ["Loaded", "Versions"]

_State = ModelVersionStatus
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """One version in memory.

    Attributes:
        version: its number.
        signatures: the SavedModel's own, by name.
        run: runs one of them.
    """

    version: int
    signatures: dict[str, Any]
    run: Run


class Versions:
    """All versions of one model that have been seen.

    Attributes:
        name: the model's.
    """

    def __init__(self, name: str, base_path: Path, load: Any) -> None:
        """Loads nothing yet.

        Args:
            name: the model's.
            base_path: the folder with the version folders.
            load: an engine (`engines.ENGINES`).
        """
        self.name = name
        self._base_path = base_path
        self._load = load
        self._lock = threading.Lock()
        self._served: Loaded | None = None
        self._states: dict[int, tuple[int, str]] = {}

    def get(self, version: int | None) -> Loaded | None:
        """Returns the requested version (None = the newest), or None if it is not served now."""
        served = self._served
        return served if served and version in (None, served.version) else None

    def states(self) -> list[tuple[int, int, str]]:
        """Returns version, `ModelVersionStatus.State` and error of every version seen, newest first."""
        with self._lock:
            return [(version, *self._states[version]) for version in sorted(self._states)[::-1]]

    def poll(self) -> None:
        """Looks at the folder once, and makes the newest version the served one.

        A version that cannot be loaded is not tried again; the one before goes on serving.
        """
        newest = max(
            (int(entry.name) for entry in self._base_path.glob("*") if entry.name.isdecimal()),
            default=None,
        )
        before = self._served
        if newest is None or (before and before.version == newest):
            return
        if self._states.get(newest, (0, ""))[1]:  # it failed before
            return
        self._set(newest, _State.LOADING)
        try:
            loaded = self._loaded(newest)
        except Exception as error:  # noqa: BLE001 - whatever the engine raises, the old one serves on
            _log.error("version %d of %s cannot be loaded: %s", newest, self.name, error)
            self._set(newest, _State.END, str(error))
            return
        self._served = loaded
        self._set(newest, _State.AVAILABLE)
        if before:
            self._set(before.version, _State.END)

    def _loaded(self, version: int) -> Loaded:
        folder = self._base_path / str(version)
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString((folder / "saved_model.pb").read_bytes())
        loaded = Loaded(version, dict(saved.meta_graphs[0].signature_def), self._load(folder))
        for signature, inputs in warm_up.read(folder):
            loaded.run(signature, inputs)
        return loaded

    def _set(self, version: int, state: int, error: str = "") -> None:
        with self._lock:
            self._states[version] = (state, error)
        _log.info("version %d of %s: %s", version, self.name, _State.State.Name(state))
