"""The port of the journal: track events of all cameras, what streams resume from, and the best picture of each track.

What holds for all of its methods:

* The journal is disposable: recognition goes on without it. A storage that fails is logged and raises nothing here; events are then
  numbered and not kept, and streams cannot be resumed.
* What is kept has neither a name nor an identity id in it: people are references, which the gallery resolves when they are read.
  An event about a person who was deleted is not returned from that moment on, and is removed soon after.
* Ids of tracks and of events are `max(the last one + 1, microseconds since 1970)`: below 2**53, unique among all processes,
  and never used again, also if the journal is lost.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn, Protocol

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
    "Journal",
    "JournalStatistics",
    "JournaledStream",
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
    """

    camera_ids: frozenset[str] = frozenset()
    identity_ids: frozenset[str] = frozenset()
    states: frozenset[TrackState] = frozenset()


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


class JournaledStream(Protocol):
    """What the journal keeps of one open stream.

    Every method but `break_off` raises StreamTakenOver once another stream was opened with the token, and StreamForgotten once this one
    was ended because its process did not run for longer than `resume_within_s`.

    Attributes:
        token: names the stream to whoever resumes it: 16 random bytes, or those that it was opened with.
        after_sequence: frames up to this one were accounted for by the stream that it resumes; 0 for a new one.
        tracks: those of the stream that it resumes.
    """

    token: bytes
    after_sequence: int
    tracks: Sequence[OpenTrack]

    def account(self, sequence: int) -> None:
        """Keeps that frames up to this one are accounted for; to be called before that is sent.

        A few microseconds, without waiting: for every frame. It survives the end of the process, by SIGKILL also.
        """
        ...

    async def record(self, events: Sequence[TrackEvent]) -> tuple[TrackEvent, ...]:
        """Numbers and keeps events of this stream, in order; then watchers of every process receive them.

        Those whose state is not ENDED stay with the stream as its open tracks.

        Returns:
            The events with their `event_id` and `has_crop`. One about a person who was deleted meanwhile is
            numbered and not kept.
        """
        ...

    async def save(self, numbers: Mapping[int, Sequence[float]]) -> None:
        """Replaces the numbers that are kept with open tracks, by track id; no names, no embeddings."""
        ...

    async def taken_over(self) -> NoReturn:
        """Waits until another stream is opened with the token, or this one is forgotten; raises the error then."""
        ...

    async def end(self) -> tuple[TrackEvent, ...]:
        """Ends the stream, which is not resumed: its token is forgotten, its open tracks are ended.

        Returns:
            The events that end them: ENDED, STREAM_ENDED.
        """
        ...

    def break_off(self) -> None:
        """The stream is over, and may be resumed within `resume_within_s`. Later its open tracks are ended."""
        ...


class Journal(Protocol):
    """The journal of a server.

    Attributes:
        resume_within_s: seconds after a stream broke off within which its token is good.
        keeps_crops: whether the operator allows pictures to be kept.
    """

    resume_within_s: float
    keeps_crops: bool

    def new_track_id(self) -> int:
        """Returns an id that no track had before. Does not wait."""
        ...

    async def open_stream(
        self, camera_id: str, gallery_id: str, token: bytes = b"", client: str = ""
    ) -> JournaledStream:
        """Opens a stream of a client, or resumes the one of the token.

        There are places for some thousand streams that are open or can be resumed. When they are used up, the client that has broken off most
        streams can no longer resume the first of these. A token that is unknown, or no longer good, opens a new stream. If the stream of the token is still open, it is taken over.

        Raises:
            InvalidField: the token is another camera's, or of a stream with another gallery.
        """
        ...

    async def watch(
        self, after_event: int, wanted: EventFilter = EVERY_EVENT, *, kept_only: bool = False
    ) -> Feed:
        """Opens a feed of the events after one, in order of their ids.

        No event that is recorded after this call returned is missed.

        Args:
            after_event: 0: from now on; 1: all that are kept.
            wanted: which events.
            kept_only: it ends after the events that are kept now, else never.
        """
        ...

    async def keep_crop(self, track_id: int, crop: Crop) -> None:
        """Keeps the picture in place of the track's earlier one; does nothing unless `keeps_crops`."""
        ...

    async def crop(self, track_id: int) -> Crop:
        """Returns the track's picture.

        Raises:
            TrackNotFound: none is kept, or a person that an event of the track is about was deleted.
            CropsNotKept: the operator does not allow pictures to be kept.
        """
        ...

    async def statistics(self) -> JournalStatistics:
        """Returns the sizes now."""
        ...

    def close(self) -> None:
        """Releases what the journal uses; blocks. No call may follow."""
        ...

    async def maintain(self) -> None:
        """Removes what is overdue, and what is about deleted people; ends the tracks of streams that were not resumed.

        To be called every second.
        """
        ...
