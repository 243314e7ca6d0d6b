"""The port of the journal: track events of all cameras, what streams resume from, and the best picture of each track.

What holds for all of its methods:

* The journal is disposable: recognition goes on without it. A storage that fails is logged and raises nothing here; events are then
  numbered and not kept, and streams cannot be resumed.
* What is kept has neither a name nor an identity id in it: people are references, which the gallery resolves when they are read.
  An event about a person who was deleted is not returned from that moment on, and is removed soon after.
* Ids of tracks and of events are `max(the last one + 1, microseconds since 1970)`: below 2**53, unique among all processes,
  and never used again, also if the journal is lost.
"""

from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

from facewire_server.streams.journal.values import (
    EVERY_EVENT,
    Crop,
    EventFilter,
    Feed,
    JournalStatistics,
    OpenTrack,
)
from facewire_server.types import TrackEvent

__all__ = ["Journal", "JournaledStream"]


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

    async def crop(self, track_id: int, gallery_ids: frozenset[str] = frozenset()) -> Crop:
        """Returns the track's picture.

        Args:
            track_id: the track.
            gallery_ids: it must be of a stream with one of these; empty = any.

        Raises:
            TrackNotFound: none is kept, a person that an event of the track is about was deleted, or it is of another gallery.
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
