"""The port `Corrections` on LMDB: one person under two ids, and two under one."""

from collections.abc import Sequence

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.lmdb_gallery.admin import LmdbAdmin
from facewire_server.backends.lmdb_gallery.moves import Moves
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.galleries.records import Correction

__all__ = ["LmdbCorrections"]


class LmdbCorrections(LmdbAdmin):
    """The corrections of `LmdbGallery`."""

    _crop_keys: CropKeys | None = None

    async def merge_identities(
        self, gallery_id: str, identity_id: str, merged_identity_id: str
    ) -> Correction:
        """See the port. One transaction, whatever the number of templates."""

        def change(transaction: Transaction) -> Correction:
            self._require_sound(gallery_id)
            moves = Moves(transaction, gallery_id, self._crop_keys)
            stays, goes = moves.stored_id(identity_id), moves.stored_id(merged_identity_id)
            numbers = moves.identity(stays).number, moves.identity(goes).number
            moved_count = moves.merge(stays, goes)
            return Correction(moves.identity_info(stays), moved_count, moves.save(), *numbers)

        return await self._write(gallery_id, change)

    async def split_identity(
        self,
        gallery_id: str,
        identity_id: str,
        template_ids: Sequence[str],
        new_identity_id: str,
        display_name: str,
    ) -> Correction:
        """See the port."""

        def change(transaction: Transaction) -> Correction:
            self._require_sound(gallery_id)
            moves = Moves(transaction, gallery_id, self._crop_keys)
            source = moves.stored_id(identity_id)
            moves.split(source, template_ids, new_identity_id, display_name)
            info = moves.identity_info(moves.stored_id(new_identity_id))
            numbers = moves.identity(info.identity_id).number, moves.identity(source).number
            return Correction(info, info.template_count, moves.save(), *numbers)

        return await self._write(gallery_id, change)
