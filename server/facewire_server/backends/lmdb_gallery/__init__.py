"""The gallery ports on LMDB: durable, and one memory map shared by every process."""

from facewire_server.backends.lmdb_gallery.gallery import LmdbGallery
from facewire_server.backends.lmdb_gallery.storage_check import damaged_galleries

__all__ = ["LmdbGallery", "damaged_galleries"]
