"""The gallery ports on LMDB: durable, and one memory map shared by every process."""

from facewire_server.backends.lmdb_gallery.gallery import LmdbGallery

__all__ = ["LmdbGallery"]
