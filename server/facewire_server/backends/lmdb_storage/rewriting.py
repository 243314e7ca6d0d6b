"""A storage whose file is rewritten: by a switch to the next generation, after which what is left of the old one is taken away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facewire_server.backends.lmdb_storage.erasing import (
    NotErased,
    has_leftovers,
    has_old_files,
    sweep,
    switching_alone,
)
from facewire_server.backends.lmdb_storage.generations import META, SWITCHING
from facewire_server.backends.lmdb_storage.moving import Rewrite, stop_noting
from facewire_server.backends.lmdb_storage.replacing import Carry, replace_by
from facewire_server.backends.lmdb_storage.switching import switch_to_next
from facewire_server.backends.lmdb_storage.tables import Storage
from facewire_server.backends.lmdb_storage.vendor_errors import disk_errors, our_errors
from facewire_server.errors import ServerError, StorageBusy

if TYPE_CHECKING:
    from facewire_server.backends.lmdb_storage.environment import Environment

__all__ = ["Rewriting"]


class Rewriting:
    """The switches of an environment, and the files that they leave."""

    def __init__(self, environment: "Environment", folder: Path, storage: Storage) -> None:
        """Takes the environment, the storage's folder, and which storage it is."""
        self._environment = environment
        self._folder = folder
        self._storage = storage
        self._stub = 0

    @property
    def has_leftovers(self) -> bool:
        """Whether a file of another generation, or of a switch that did not end, is still there."""
        return has_leftovers(self._folder, self._environment.generation, self._stub)

    @property
    def has_old_files(self) -> bool:
        """See `Environment.has_old_files`."""
        return has_old_files(self._folder, self._environment.generation, self._stub)

    def tidy(self) -> None:
        """See `Environment.tidy`."""
        if not (self._is_noting() or self.has_leftovers):
            return
        try:
            with our_errors(self._storage.name), switching_alone(self._folder):
                self._sweep()
        except StorageBusy:  # whoever switches sweeps
            return

    def switch(self, rewrite: Rewrite, at_step: Callable[[str], None]) -> None:
        """See `Environment.switch`."""
        with self._changing() as lock:
            self._sweep(at_step)
            switch_to_next(self._environment, self._folder, self._storage, lock, rewrite, at_step)
            at_step("moved")
            self._sweep_old(at_step)  # its read adopts the next generation

    def replace(self, file: Path, carry: Carry) -> None:
        """See `Environment.replace`."""
        with self._changing():
            self._sweep()
            replace_by(self._environment, self._folder, self._storage, file, carry)
            self._sweep_old()

    def _sweep(self, at_step: Callable[[str], None] = lambda _: None) -> None:
        """Takes away what other generations and switches have left; under `switching_alone`."""
        if self._is_noting():
            self._environment.write(stop_noting, beyond_quota=True)
        generation = self._environment.generation
        self._stub = sweep(self._folder, generation, self._storage.format, at_step)

    @contextmanager
    def _changing(self) -> Iterator[int]:
        with (
            our_errors(self._storage.name),
            disk_errors(self._storage.name, self._folder),
            switching_alone(self._folder) as lock,
        ):
            yield lock

    def _sweep_old(self, at_step: Callable[[str], None] = lambda _: None) -> None:
        """Sweeps after a switch, which is done whatever becomes of the old file; raises NotErased."""
        try:
            self._sweep(at_step)
        except (OSError, ServerError) as error:
            raise NotErased(
                f"{self._storage.name} was rewritten, and its old file cannot be erased now: {error}"
            ) from error

    def _is_noting(self) -> bool:
        with self._environment.read() as transaction:
            return transaction.table(META).get(SWITCHING) is not None
