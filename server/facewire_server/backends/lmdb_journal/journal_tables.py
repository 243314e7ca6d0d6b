"""The tables of the journal's storage."""

from typing import Final

from facewire_server.backends.lmdb_storage.tables import Storage

__all__ = ["JOURNAL_STORAGE"]

JOURNAL_STORAGE: Final = Storage(
    name="the journal",
    tables=(
        "events",  # event id -> Event
        "track_events",  # track id, event id -> nothing
        "people",  # gallery id, NUL, identity number, time of its creation, event id -> nothing
        "streams",  # SHA-256 of the token -> Stream
        "open_tracks",  # SHA-256 of the token, track id -> OpenTrack
        "crops",  # track id -> Crop
    ),
    format=b"1",
    is_synced=False,
)
"""The journal's environment."""
