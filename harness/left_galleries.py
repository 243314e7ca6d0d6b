"""Galleries that no server uses: what backups, and servers that were killed, have left in their files."""

import asyncio
import re
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_gallery.restores import restore
from facewire_server.errors import ServerError
from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.records import ExportedTemplate, IdentityInfo
from harness.acknowledged import Person
from harness.gallery_records import DIMENSION, vector_of

__all__ = ["ids_in_files", "people_of_backup", "search_finds"]

_ID: Final = re.compile(rb"[a-z][0-9]{0,2}-[0-9]{6}")
"""An identity id of a `GalleryClient`, with which its name begins, too."""


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
                elif isinstance(record, ExportedTemplate):
                    one = record.info
                    person = people[one.identity_id]
                    people[one.identity_id] = person._replace(
                        templates=person.templates | {one.template_id}
                    )
                else:
                    example = record.info
                    person = people[example.identity_id]
                    people[example.identity_id] = person._replace(
                        negative_examples=person.negative_examples | {example.negative_example_id}
                    )
    return people


def search_finds(folder: Path, contract: str, people: dict[str, Person]) -> int:
    """Returns the number of searches that find another person, or no one; no server may use the folder.

    The means of what was imported are searched for: of a person's made vectors, which resemble each other by chance only, those that are left.
    """
    return asyncio.run(_not_found(folder, contract, people))


async def _not_found(folder: Path, contract: str, people: dict[str, Person]) -> int:
    missed = 0
    with closing(_opened(folder, contract)) as gallery:
        for identity_id, person in people.items():
            if not person.templates:
                continue
            vectors = [np.frombuffer(vector_of(one), "<f4") for one in sorted(person.templates)]
            probes = np.stack([one.mean for one in fuse(np.stack(vectors))])
            found = await gallery.search("default", probes, 1)
            missed += sum(best.identity_id != identity_id for (best,) in found.candidates)
    return missed


def ids_in_files(folder: Path, *, but: Collection[str]) -> set[str]:
    """Returns the ids of clients' people, but for some, whose bytes are in a file of the folder; no process may use it."""
    found: set[str] = set()
    for path in folder.iterdir():
        found.update(one.decode() for one in _ID.findall(path.read_bytes()))
    return found - set(but)


def _opened(folder: Path, contract: str) -> LmdbGallery:
    return LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=contract, dimension=DIMENSION
    )
