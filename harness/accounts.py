"""Checks that the frames of a stream are accounted for once and in order."""

import threading
from collections import Counter, deque

from facewire.v1 import recognition_pb2

__all__ = ["Accounts"]


class Accounts:
    """The frames of one stream that were sent, and what the server accounts for.

    One thread may send and another one read.

    Attributes:
        is_over: the stream has ended, so no further frame need be sent.
        sent: frames sent.
        answered: frames with a result.
        skipped: frames that were skipped, by reason.
        faults: deviations from what the contract promises, in words.
    """

    def __init__(self) -> None:
        """Starts with no frame."""
        self.is_over = False
        self.sent = 0
        self.answered = 0
        self.skipped: Counter[str] = Counter()
        self.faults: list[str] = []
        self._due: deque[int] = deque()
        self._is_last_answered = True
        self._taken = threading.Condition()

    def has_room(self, in_flight: int) -> bool:
        """Returns whether fewer frames are not accounted for, at once or within moments."""
        with self._taken:
            return self._taken.wait_for(lambda: len(self._due) < in_flight, timeout=0.2)

    def send(self, sequence: int) -> None:
        """Notes a frame; to be called before it is sent."""
        self.sent += 1
        self._due.append(sequence)

    def take(self, answer: recognition_pb2.StreamRecognizeResponse) -> None:
        """Notes a message of the server."""
        if answer.HasField("frame"):
            self._is_last_answered = True
            self.answered += 1
            self._settle(answer.frame.sequence, answer.frame.sequence, 1)
        elif answer.HasField("skipped"):
            skipped = answer.skipped
            self._is_last_answered = False
            reason = recognition_pb2.SkipReason.Name(skipped.reason).removeprefix("SKIP_REASON_")
            self.skipped[reason] += skipped.frame_count
            self._settle(skipped.first_sequence, skipped.last_sequence, skipped.frame_count)

    def end(self) -> None:
        """Notes that the stream ended with OK after its client half-closed."""
        if self._due:
            self.faults.append(f"{len(self._due)} frames were never accounted for")
        elif not self._is_last_answered:
            self.faults.append("the last frame was skipped")

    def _settle(self, first: int, last: int, count: int) -> None:
        with self._taken:
            taken = [self._due.popleft() for _ in range(min(count, len(self._due)))]
            self._taken.notify()
        if len(taken) != count or (taken[0], taken[-1]) != (first, last):
            self.faults.append(f"{count} frames, {first} to {last}, were accounted for: {taken}")
