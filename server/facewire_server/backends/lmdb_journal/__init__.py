"""The journal on LMDB: written without syncing, bounded, and shared by the processes of a server."""

from facewire_server.backends.lmdb_journal.opening import open_journal

__all__ = ["open_journal"]
