"""Compares everything that a storage holds with itself; run by `storage_check` in a process of its own.

Each block has its checksum, each row of a gallery has an owner and unit length, each record can be parsed, and the counts agree.

Measured on two busy processors: 0.6 s of processor time, most of it the start of the process, and 0.8 s more for 100,000 templates.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.block_checks import BlockChecks
from facewire_server.backends.lmdb_gallery.blocks import Blocks, row_owner
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.kept_crops import KeptCrops
from facewire_server.backends.lmdb_gallery.means import is_oldest_of_mean
from facewire_server.backends.lmdb_gallery.reading import reading_galleries
from facewire_server.backends.lmdb_gallery.records_pb2 import (
    Enrollment,
    Identity,
    Template,
)
from facewire_server.backends.lmdb_storage.growth import Progress, unshown
from facewire_server.backends.lmdb_storage.storage_check import reporting
from facewire_server.backends.lmdb_storage.tables import Transaction, number_key
from facewire_server.backends.lmdb_storage.vendor_errors import damaged, our_errors
from facewire_server.errors import GalleryDamaged
from facewire_server.galleries.embeddings import are_unit

__all__ = ["check_gallery", "faulty_galleries"]


def check_gallery(
    transaction: Transaction,
    gallery_id: str,
    crop_keys: CropKeys | None = None,
    taken: Callable[[], None] = lambda: None,
) -> None:
    """Reads all of a gallery.

    Args:
        transaction: in which it is read.
        gallery_id: the gallery.
        crop_keys: decrypt each kept crop; None = only whether each belongs to a template is checked.
        taken: called for each template, and for each crop that is decrypted.

    Raises:
        GalleryDamaged: something in it cannot be.
    """
    # The first format has no checksums; they are written when the storage is opened.
    stated = transaction.table("meta").get(b"format")
    contents = Contents(transaction, gallery_id, None if stated == b"1" else BlockChecks())
    owners = _row_owners(contents.blocks)
    counts = dict.fromkeys(_identity_numbers(contents), 0)
    rows = 0
    for key, value in contents.template_table.scan():
        template, owner = Template.FromString(value), row_owner(key)
        if owner.identity_number not in counts:
            raise damaged("an identity is missing")
        if template.row >= len(owners) or tuple(owners[template.row].tolist()) != owner:
            raise damaged("a row is not its template's")
        if contents.template_key_table.get(template.template_id) != key:
            raise damaged("a template cannot be found by its id")
        counts[owner.identity_number] += 1
        rows += 1
        taken()
    if stated not in (b"1", b"2"):
        _check_means(contents)
    if stated == GALLERY_STORAGE.format:
        contents.negative_examples.check(_negative_example_counts(contents))
    if rows != len(owners) or counts != _template_counts(contents):
        raise damaged("a template is missing")
    if len(counts) != contents.record.identity_count:
        raise damaged("an identity is missing")
    for _, value in transaction.table("enrollments", gallery_id.encode() + b"\0").scan():
        Enrollment.FromString(value)
    if (
        "crops" in transaction.databases
    ):  # a storage that no server of this version has opened yet has none
        _check_crops(contents, KeptCrops(transaction, gallery_id), crop_keys, taken)


def _check_means(contents: Contents) -> None:
    """Each person with templates has a mean, each mean its oldest template, and each template of a mean this mean."""
    owners = _row_owners(contents.means)
    rows = 0
    searched, enrolled = set(), set()
    for key, value in contents.template_table.scan():
        template, owner = Template.FromString(value), row_owner(key)
        enrolled.add(owner.identity_number)
        if not template.mean_number:
            continue
        searched.add(owner.identity_number)
        if is_oldest_of_mean(key, template):
            rows += 1
            row = template.mean_row
            if row >= len(owners) or tuple(owners[row].tolist()) != owner:
                raise damaged("a row is not its mean's")
            continue
        oldest = number_key(owner.identity_number, template.mean_number)
        if not is_oldest_of_mean(oldest, contents.template(oldest)):
            raise damaged("a mean is missing")
    if rows != len(owners) or searched != enrolled:
        raise damaged("a mean is missing")


def _check_crops(
    contents: Contents, crops: KeptCrops, keys: CropKeys | None, taken: Callable[[], None]
) -> None:
    for key in crops.template_keys():
        if contents.template_table.get(key) is None:
            raise damaged("a kept crop is no template's")
        if keys is not None:
            crops.get(key, contents.owner_id(key), contents.template(key).template_id, keys)
            taken()


def _row_owners(blocks: Blocks) -> "np.ndarray[tuple[int, int], np.dtype[np.uint64]]":
    """Returns (n, 2): the numbers of identity and template of each row; checks the vectors."""
    owners = [np.empty((0, 2), np.uint64)]
    for block in blocks:
        if not are_unit(block.vectors).all():
            raise damaged("a vector is not of unit length")
        owners.append(np.array(block.owners))
    return np.concatenate(owners)


def _identity_numbers(contents: Contents) -> Iterator[int]:
    for key, value in contents.identity_id_table.scan():
        record = Identity.FromString(contents.identity_table.get(value) or b"")
        if number_key(record.number) == key:
            yield record.number
        elif key not in {number_key(one.number) for one in record.merged}:
            raise damaged("an identity is missing")


def _template_counts(contents: Contents) -> dict[int, int]:
    records = (Identity.FromString(value) for _, value in contents.identity_table.scan())
    return {record.number: record.template_count for record in records}


def _negative_example_counts(contents: Contents) -> dict[int, int]:
    records = (Identity.FromString(value) for _, value in contents.identity_table.scan())
    return {record.number: record.negative_example_count for record in records}


class _Shares:
    """Reports the share of templates and crops that were taken, a hundred times."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = max(1, total)
        self._every = max(1, total // 100)
        self._progress = progress
        self._taken = 0

    def __call__(self) -> None:
        self._taken += 1
        if self._taken % self._every == 0:
            self._progress(min(0.99, self._taken / self._total))


def faulty_galleries(
    folder: str, crop_keys: CropKeys | None = None, progress: Progress = unshown
) -> list[str]:
    """Returns the ids of the galleries in which something cannot be; the keys decrypt each kept crop.

    `progress` takes the share that is done.

    Raises:
        GalleryDamaged, StorageDamaged: the storage cannot be read.
        StorageBusy, OSError: nothing is known about it.
    """
    found = _look(folder, crop_keys, progress)
    # Once more, in another transaction: what is called damaged is not served.
    faulty = sorted({*found} & {*_look(folder, crop_keys, progress)}) if found else []
    progress(1.0)
    return faulty


def _look(folder: str, crop_keys: CropKeys | None, progress: Progress) -> list[str]:
    found: list[str] = []
    with reading_galleries(Path(folder)) as transaction:
        if "galleries" not in transaction.databases:  # made by a process that ended at once
            return found
        total = _count(transaction, "templates") + (crop_keys is not None) * _count(
            transaction, "crops"
        )
        taken = _Shares(total, progress)
        for key, _ in transaction.table("galleries").scan():
            gallery_id = key.decode()
            try:
                with our_errors():
                    check_gallery(transaction, gallery_id, crop_keys, taken)
            except GalleryDamaged:
                found.append(gallery_id)
    return found


def _count(transaction: Transaction, name: str) -> int:
    return transaction.count(name) if name in transaction.databases else 0


if __name__ == "__main__":
    with reporting():
        # Through a pipe: whoever lists the processes sees a command and its environment.
        text = sys.stdin.read()
        keys = CropKeys.parse(text) if text else None
        with open(int(sys.argv[2]), "w", encoding="ascii", buffering=1) as shares:
            galleries = faulty_galleries(sys.argv[1], keys, lambda share: print(share, file=shares))
        print(json.dumps(galleries))
