"""Backups made by the command beside running servers, finished or killed, and what they hold."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_gallery.backups import restore
from facewire_server.errors import ServerError
from facewire_server.galleries.records import IdentityInfo
from harness import REPOSITORY
from harness.acknowledged import Person
from harness.gallery_loads import DIMENSION, vector_of

__all__ = ["BackupCommand", "people_of_backup", "search_finds"]


class BackupCommand:
    """`facewire-server gallery backup`, in a process of its own."""

    def __init__(self, data: Path, into: Path) -> None:
        """Starts it.

        Args:
            data: the servers' data folder.
            into: folder of the backup.
        """
        self.into = into
        command = ["gallery", "backup", str(into), "--data", str(data)]
        path = os.pathsep.join(str(REPOSITORY / room) for room in ("server", "clients/python"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "facewire_server", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def kill(self) -> None:
        """Ends it as a power cut would, if it has not ended."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def wait(self) -> str:
        """Waits for its end; returns what it complained of, "" if it succeeded."""
        assert self._process.stdout is not None
        text = self._process.stdout.read()
        return text if self._process.wait() else ""

    @property
    def parts(self) -> list[Path]:
        """The folders that it may have left: the backup, and what becomes one."""
        return [
            one
            for one in (self.into, self.into.with_name(f"{self.into.name}.part"))
            if one.exists()
        ]


def people_of_backup(backup: Path, scratch: Path, contract: str) -> dict[str, Person] | None:
    """Restores a backup and returns the people of its gallery "default", by id; None if the restore refuses it.

    Args:
        backup: its folder.
        scratch: an empty folder.
        contract: id of the model contract.
    """
    try:
        restore(backup, scratch / "gallery")
    except (ServerError, OSError):
        return None
    return asyncio.run(_people(scratch / "gallery", contract))


async def _people(folder: Path, contract: str) -> dict[str, Person]:
    people: dict[str, Person] = {}
    with closing(_opened(folder, contract)) as gallery:
        async with gallery.export_records("default") as (_, records):
            async for record in records:
                if isinstance(record, IdentityInfo):
                    people[record.identity_id] = Person(record.display_name)
                else:
                    one = record.info
                    person = people[one.identity_id]
                    people[one.identity_id] = person._replace(
                        templates=person.templates | {one.template_id}
                    )
    return people


def search_finds(folder: Path, contract: str, people: dict[str, Person]) -> int:
    """Returns the number of imported templates whose search finds another person, or no one; no server may use the folder."""
    return asyncio.run(_not_found(folder, contract, people))


async def _not_found(folder: Path, contract: str, people: dict[str, Person]) -> int:
    import numpy as np

    missed = 0
    with closing(_opened(folder, contract)) as gallery:
        for identity_id, person in people.items():
            if not person.templates:
                continue
            probes = np.stack(
                [np.frombuffer(vector_of(one), "<f4") for one in sorted(person.templates)]
            )
            found = await gallery.search("default", probes, 1)
            missed += sum(best.identity_id != identity_id for (best,) in found.candidates)
    return missed


def _opened(folder: Path, contract: str) -> LmdbGallery:
    return LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=contract, dimension=DIMENSION
    )
