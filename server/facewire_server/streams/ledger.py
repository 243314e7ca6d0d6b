"""The ledger of one stream's frames: which wait, which are in work, what happened to the others.

Every frame that was admitted stands in exactly one place, in order of arrival:

    taken (accounted for) | begun: answered, in work, or skipped | waiting
                            ^ take()                               ^ begin()

* Sequences increase strictly, so positions and sequences agree.
* Waiting frames always come after begun and skipped ones: `begin` and `skip_...` take the oldest
  that waits. So a skipped frame lies next to the one skipped before it, unless a begun one
  is between, and the existing range grows: a client that floods the server adds no entries.
* The newest frame is skipped only by `skip_all`: after the last one has come, it is begun.
* Only the frames that wait or are in work hold a picture.

Nothing here waits or sends: `session` does.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from facewire_server.errors import OutOfOrder
from facewire_server.streams.values import Skipped, SkipReason

__all__ = ["Entry", "Ledger"]

FrameT = TypeVar("FrameT")
AnswerT = TypeVar("AnswerT")


@dataclass(slots=True, eq=False)
class Entry(Generic[FrameT, AnswerT]):
    """One frame; `frame` until it is answered, `answer` from then on."""

    sequence: int
    frame: FrameT | None
    answer: AnswerT | None = None


class Ledger(Generic[FrameT, AnswerT]):
    """Accounts for every frame of a stream exactly once and in order."""

    def __init__(self, *, max_in_flight: int, let_go: Callable[[FrameT], None]) -> None:
        """Starts an empty ledger.

        Args:
            max_in_flight: the credit, in frames.
            let_go: called once with each frame that the ledger no longer holds: it was settled or skipped.
        """
        self._max_in_flight = max_in_flight
        self._let_go = let_go
        self._begun: deque[Entry[FrameT, AnswerT] | Skipped] = deque()
        self._waiting: deque[Entry[FrameT, AnswerT]] = deque()
        self._last_sequence = 0
        self._outstanding = 0
        self._answers = 0

    @property
    def outstanding(self) -> int:
        """Frames admitted and not taken."""
        return self._outstanding

    @property
    def unsent(self) -> int:
        """Number of answers and ranges, ready or queued for `take`."""
        return self._answers

    @property
    def waiting(self) -> int:
        """Frames that wait to be begun."""
        return len(self._waiting)

    @property
    def has_waiting(self) -> bool:
        """Whether there is a frame to begin."""
        return bool(self._waiting)

    @property
    def next_waiting(self) -> Entry[FrameT, AnswerT] | None:
        """The entry that `begin` would take; None if no frame waits."""
        return self._waiting[0] if self._waiting else None

    @property
    def has_next(self) -> bool:
        """Whether `take` would return something now."""
        return bool(self._begun) and _is_finished(self._begun[0])

    def go_on_after(self, sequence: int) -> None:
        """Goes on after a frame that another stream accounted for, before the first one is admitted."""
        self._last_sequence = sequence

    def admit(self, sequence: int, frame: FrameT) -> None:
        """Adds the frame that was read.

        Raises:
            OutOfOrder: its sequence is 0 or does not increase.
        """
        if sequence <= self._last_sequence:
            raise OutOfOrder(
                f"a frame's sequence is {sequence}; it must be above {self._last_sequence}",
                field="frame.sequence",
            )
        self._last_sequence = sequence
        self._outstanding += 1
        self._waiting.append(Entry(sequence, frame))

    def begin(self) -> Entry[FrameT, AnswerT] | None:
        """Takes the oldest waiting frame into work; returns None if no frame waits."""
        if not self._waiting:
            return None
        entry = self._waiting.popleft()
        self._begun.append(entry)
        return entry

    def settle(self, entry: Entry[FrameT, AnswerT], answer: AnswerT) -> None:
        """Sets the answer of a frame in work."""
        if entry.frame is not None:
            self._let_go(entry.frame)
        entry.frame = None
        entry.answer = answer
        self._answers += 1

    def skip_superseded(self) -> None:
        """Skips every waiting frame but the newest."""
        over = self._outstanding > self._max_in_flight
        while len(self._waiting) > 1:
            self._skip(SkipReason.OVER_CREDIT if over else SkipReason.SUPERSEDED)

    def skip_all(self) -> None:
        """Skips every waiting frame, because the server ends the stream."""
        while self._waiting:
            self._skip(SkipReason.SHUTTING_DOWN)

    def take(self) -> AnswerT | Skipped | None:
        """Accounts for the next frame or range; returns None while the next frame is not answered."""
        if not self.has_next:
            return None
        self._answers -= 1
        entry = self._begun.popleft()
        if isinstance(entry, Skipped):
            self._outstanding -= entry.frame_count
            return entry
        self._outstanding -= 1
        return entry.answer

    def _skip(self, reason: SkipReason) -> None:
        skipped = self._waiting.popleft()
        if skipped.frame is not None:
            self._let_go(skipped.frame)
        sequence = skipped.sequence
        last = self._begun[-1] if self._begun else None
        if isinstance(last, Skipped) and last.reason is reason:
            last.last_sequence = sequence
            last.frame_count += 1
        else:
            self._begun.append(Skipped(sequence, sequence, 1, reason))
            self._answers += 1


def _is_finished(entry: "Entry[FrameT, AnswerT] | Skipped") -> bool:
    return isinstance(entry, Skipped) or entry.answer is not None
