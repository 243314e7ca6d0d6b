"""The aligned crops that a gallery keeps of its templates, encrypted; each belongs to one template and goes with it."""

from collections.abc import Iterator

from facewire_server.backends.crop_cipher import CropKeys, UnreadableCrop, key_ids, sealed_by
from facewire_server.backends.lmdb_gallery.gallery_tables import gallery_prefix
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.vendor_errors import damaged
from facewire_server.errors import CropKeyMissing
from facewire_server.pictures.aligned_crop import crop_of, png_of
from facewire_server.types import Rgb

__all__ = ["KeptCrops", "WrongCropKey", "require_keys", "set_keys"]

_KEYS_USED = b"crop_keys"
"""Key, in the table "meta", of the ids of all keys that sealed a crop which may still be there."""


class WrongCropKey(OSError):
    """There are kept crops that none of the given keys has encrypted."""


def require_keys(transaction: Transaction, keys: CropKeys) -> None:
    """Checks that these keys can read every kept crop.

    Raises:
        WrongCropKey: one of them was sealed by another key.
    """
    if not _used(transaction) <= set(keys.ids):
        raise WrongCropKey(
            "the key in enrollment_crop_key_file is not the one that encrypted the kept crops: put that one into the file, "
            "after a new one if there is one; if it is lost, remove the crops: facewire-server crops drop"
        )


def set_keys(transaction: Transaction, ids: frozenset[bytes]) -> None:
    """States which keys sealed the crops that are there."""
    meta = transaction.table("meta")
    if ids:
        meta.put(_KEYS_USED, b"".join(sorted(ids)))
    else:
        meta.delete(_KEYS_USED)


def _used(transaction: Transaction) -> frozenset[bytes]:
    return key_ids(transaction.table("meta").get(_KEYS_USED) or b"")


class KeptCrops:
    """The crops of one gallery in one transaction, by the key of their template."""

    def __init__(self, transaction: Transaction, gallery_id: str) -> None:
        """Opens the table; there may be no such gallery."""
        self._transaction = transaction
        self._gallery_id = gallery_id
        self._table = transaction.table("crops", gallery_prefix(gallery_id))

    def put(
        self, template_key: bytes, identity_id: str, template_id: bytes, png: bytes, keys: CropKeys
    ) -> None:
        """Keeps a crop.

        Args:
            template_key: of the template's record.
            identity_id: of whom it shows, as stored.
            template_id: 16 bytes.
            png: the crop.
            keys: the first one seals it.
        """
        record = keys.seal(png, self._about(identity_id, template_id))
        self._table.put(template_key, record)
        if keys.ids[0] not in (used := _used(self._transaction)):
            set_keys(self._transaction, used | {keys.ids[0]})

    def get(
        self, template_key: bytes, identity_id: str, template_id: bytes, keys: CropKeys
    ) -> Rgb | None:
        """Returns a template's crop, (112, 112, 3) uint8 RGB, or None if none is kept.

        Raises:
            GalleryDamaged: it is not what was written, or not this template's.
        """
        record = self._table.get(template_key)
        if record is None:
            return None
        try:
            return crop_of(keys.open(record, self._about(identity_id, template_id)))
        except (UnreadableCrop, ValueError) as error:
            raise damaged(f"a kept crop cannot be read: {error}") from error

    def reseal(
        self, template_key: bytes, identity_id: str, template_id: bytes, keys: CropKeys
    ) -> None:
        """Encrypts a crop with the first key; raises GalleryDamaged as `get`."""
        crop = self.get(template_key, identity_id, template_id, keys)
        if crop is not None:
            self.put(template_key, identity_id, template_id, png_of(crop), keys)

    def move(
        self,
        template_key: bytes,
        to: bytes,
        template_id: bytes,
        identity_ids: tuple[str, str],
        keys: CropKeys | None,
    ) -> None:
        """Keeps a template's crop, if there is one, under another key and for another identity.

        Args:
            template_key, to: the keys of the template's record, before and after.
            template_id: 16 bytes.
            identity_ids: of whom the template was, and is, as stored.
            keys: of the crops.

        Raises:
            CropKeyMissing: there is a crop, and none of the keys has sealed it, as on a server whose key file is older.
            GalleryDamaged: as `get`.
        """
        record = self._table.get(template_key)
        if record is None:
            return
        if keys is None or sealed_by(record) not in keys.ids:
            raise CropKeyMissing(
                "crops are kept with the templates, and the server lacks the key that they are encrypted with"
            )
        before, after = identity_ids
        try:
            png = keys.open(record, self._about(before, template_id))
        except UnreadableCrop as error:
            raise damaged(f"a kept crop cannot be read: {error}") from error
        self.put(to, after, template_id, png, keys)
        self.delete(template_key)

    def has(self, template_key: bytes) -> bool:
        """Whether a crop of this template is kept."""
        return self._table.view(template_key) is not None

    def sealed_by(self, template_key: bytes) -> bytes:
        """Returns the id of the key that sealed a crop, b"" if none is kept."""
        record = self._table.view(template_key)
        return b"" if record is None else sealed_by(record)

    def template_keys(self, after: bytes = b"", *, of: bytes = b"") -> Iterator[bytes]:
        """Yields the keys of the templates with a crop in order: those above `after`, and that start with `of`."""
        return self._table.keys(of, after=after)

    def delete(self, template_key: bytes) -> None:
        """Removes a crop, if there is one."""
        self._table.delete(template_key)

    def _about(self, identity_id: str, template_id: bytes) -> bytes:
        # Ids hold no NUL, so that no three of them are joined as three others are.
        return f"{self._gallery_id}\0{identity_id}\0".encode() + template_id
