"""What a journal keeps and returns: open tracks, events for watchers, pictures, sizes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final, NamedTuple

from facewire_server.errors import StorageBusy, StreamTakenOver
from facewire_server.types import Quality, TrackEvent, TrackState

__all__ = [
    "EVERY_EVENT",
    "NOT_ITS_STREAM",
    "RESUME_WITHIN_S",
    "TOKEN_BYTES",
    "Crop",
    "EventFilter",
    "Feed",
    "JournalStatistics",
    "OpenTrack",
    "StreamForgotten",
    "WatchedEvent",
]

RESUME_WITHIN_S: Final = 60.0
"""Seconds after a stream broke off within which it may be resumed: as long as a person who left the picture stays the same
visit. Chosen, not measured."""


class StreamForgotten(StorageBusy):
    """The stream was ended because its process did not run for longer than it may be resumed: a new one may be opened."""


NOT_ITS_STREAM: Final = (StreamTakenOver, StreamForgotten)
"""What the methods of a `JournaledStream` raise that is no longer the owner of the stream."""

TOKEN_BYTES: Final = 16
"""Bytes of a resume token: random, so that it cannot be guessed."""


@dataclass(frozen=True, slots=True)
class OpenTrack:
    """A track that a stream goes on with.

    Attributes:
        event: its last recorded event. If its person was deleted meanwhile, its decision is PENDING, without anyone.
        numbers: as `save` received them last, for the tracker and the verdict; () if it never did.
    """

    event: TrackEvent
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; an empty set = all.

    Attributes:
        camera_ids: of these cameras.
        identity_ids: about these people, of any gallery, in any spelling: the decision's identity, one that it lies between, or
            the one that was retracted.
        states: of these states.
        gallery_ids: of streams with these galleries: those that the watcher may see.
    """

    camera_ids: frozenset[str] = frozenset()
    identity_ids: frozenset[str] = frozenset()
    states: frozenset[TrackState] = frozenset()
    gallery_ids: frozenset[str] = frozenset()


EVERY_EVENT: Final = EventFilter()
"""The filter of a watcher that names nothing."""


@dataclass(frozen=True, slots=True)
class WatchedEvent:
    """An event for a watcher.

    Attributes:
        event: the event.
        events_lost: events between the one that was asked for and this one are no longer kept. On the first only.
    """

    event: TrackEvent
    events_lost: bool = False


class Feed(NamedTuple):
    """The events that a watcher asked for.

    Attributes:
        after_event: the event that the feed follows; never 0.
        events: to be closed (`contextlib.aclosing`). It may raise StorageBusy or GalleryDamaged: names cannot be read now.
    """

    after_event: int
    events: AsyncGenerator[WatchedEvent, None]


@dataclass(frozen=True, slots=True)
class Crop:
    """The best picture of a track's face.

    Attributes:
        jpeg: encoded; see `pictures.face_crop`.
        sequence: the frame that it was cut from.
        quality: of the face.
    """

    jpeg: bytes
    sequence: int
    quality: Quality


@dataclass(frozen=True, slots=True)
class JournalStatistics:
    """The journal at one moment, for metrics.

    Attributes:
        is_kept: on the disk; False if the storage cannot be used.
        events: events kept.
        streams: streams that are open, or can be resumed, in all processes.
        watchers: of this process.
        crops: pictures kept.
        file_bytes: size of the storage's file, without the pictures.
        crop_bytes: of the pictures.
    """

    is_kept: bool
    events: int = 0
    streams: int = 0
    watchers: int = 0
    crops: int = 0
    file_bytes: int = 0
    crop_bytes: int = 0
