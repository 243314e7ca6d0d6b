"""Encrypts all kept crops with the key in force, or removes them all; beside running servers."""

from collections.abc import Callable
from itertools import islice
from typing import Final

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.contents import Contents
from facewire_server.backends.lmdb_gallery.kept_crops import KeptCrops, require_keys, set_keys
from facewire_server.backends.lmdb_gallery.listing import listed_galleries
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction

__all__ = ["drop_crops", "rekey_crops"]

_BATCH: Final = 64
"""Crops that one transaction rewrites, 1.5 MB: others wait for it for some hundredths of a second. Chosen, not measured."""


def rekey_crops(environment: Environment, keys: CropKeys, progress: Callable[[float], None]) -> int:
    """Encrypts each crop that another key has sealed with the first of the keys; returns how many these were.

    An interrupted call can be repeated: it goes on with what is left.

    Raises:
        WrongCropKey: none of the keys has sealed one.
        GalleryDamaged: one is not what was written.
    """
    with environment.read() as transaction:
        require_keys(transaction, keys)
        total = transaction.count("crops")
        galleries = [one.gallery_id for one in listed_galleries(transaction)[0]]
    seen = changed = 0
    for gallery_id in galleries:
        after = b""
        while True:
            batch = environment.write(_Batch(gallery_id, after, keys))
            seen, changed = seen + batch.seen, changed + batch.changed
            progress(min(1.0, seen / max(1, total)))
            if not batch.last:
                break
            after = batch.last

    def state_keys(transaction: Transaction) -> None:
        used = {
            KeptCrops(transaction, gallery.gallery_id).sealed_by(key)
            for gallery in listed_galleries(transaction)[0]
            for key in KeptCrops(transaction, gallery.gallery_id).template_keys()
        }
        set_keys(transaction, frozenset(used))

    environment.write(state_keys)
    progress(1.0)
    return changed


class _Batch:
    """One transaction of `rekey_crops`.

    Attributes:
        seen, changed: numbers of crops.
        last: the key of the last one; b"" = there was none.
    """

    def __init__(self, gallery_id: str, after: bytes, keys: CropKeys) -> None:
        self._gallery_id = gallery_id
        self._after = after
        self._keys = keys
        self.seen = self.changed = 0
        self.last = b""

    def __call__(self, transaction: Transaction) -> "_Batch":
        """Rewrites the crops; may be called again if the map had to grow."""
        self.changed = 0
        contents = Contents(transaction, self._gallery_id)
        crops = KeptCrops(transaction, self._gallery_id)
        batch = list(islice(crops.template_keys(self._after), _BATCH))
        for key in batch:
            if crops.sealed_by(key) != self._keys.ids[0]:
                crops.reseal(
                    key, contents.owner_id(key), contents.template(key).template_id, self._keys
                )
                self.changed += 1
        self.seen, self.last = len(batch), batch[-1] if batch else b""
        return self


def drop_crops(environment: Environment) -> int:
    """Removes all kept crops of all galleries, in one transaction; returns how many there were. Needs no key."""

    def drop(transaction: Transaction) -> int:
        count = transaction.count("crops")
        transaction.table("crops").clear()
        set_keys(transaction, frozenset())
        return count

    return environment.write(drop, beyond_quota=True)
