"""The journal, as the rest of the server sees it: its ports, and their values."""

from facewire_server.streams.journal.ports import Journal, JournaledStream
from facewire_server.streams.journal.values import (
    EVERY_EVENT,
    NOT_ITS_STREAM,
    RESUME_WITHIN_S,
    TOKEN_BYTES,
    Crop,
    EventFilter,
    Feed,
    JournalStatistics,
    OpenTrack,
    StreamForgotten,
    WatchedEvent,
)

__all__ = [
    "EVERY_EVENT",
    "NOT_ITS_STREAM",
    "RESUME_WITHIN_S",
    "TOKEN_BYTES",
    "Crop",
    "EventFilter",
    "Feed",
    "Journal",
    "JournalStatistics",
    "JournaledStream",
    "OpenTrack",
    "StreamForgotten",
    "WatchedEvent",
]
