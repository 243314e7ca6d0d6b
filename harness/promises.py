"""The promises of servers that are killed: how often each was broken, and an example of each time."""

from collections import Counter
from typing import Final

from harness.acknowledged import CHANGED, FOUND, LOST

__all__ = [
    "BAD_BACKUP",
    "FAULTS",
    "NOT_ENDED",
    "NOT_ERASED",
    "NOT_FOUND",
    "NOT_SOUND",
    "NOT_STARTED",
    "REVISION_BACK",
    "UNSEEN",
    "WRONG",
    "Promises",
]

NOT_STARTED: Final = "starts that failed"
NOT_ENDED: Final = "processes that outlived their server"
NOT_SOUND: Final = "verifications that failed"
NOT_ERASED: Final = "deleted people in the files after a purge, and purges that failed"
NOT_FOUND: Final = "people whom a search by their means does not find"
WRONG: Final = "vectors or counts that are wrong"
REVISION_BACK: Final = "revisions that went back"
UNSEEN: Final = "acknowledged changes not in the next list"
BAD_BACKUP: Final = "backups that are neither whole nor refused"

FAULTS: Final = (
    LOST,
    FOUND,
    CHANGED,
    UNSEEN,
    WRONG,
    REVISION_BACK,
    NOT_STARTED,
    NOT_ENDED,
    NOT_SOUND,
    BAD_BACKUP,
    NOT_FOUND,
    NOT_ERASED,
)
"""Each kind of broken promise that is counted."""


class Promises:
    """What was done, and what of the promises was broken.

    Attributes:
        counts: of what was done, and of each of `FAULTS`.
        examples: a line for each fault.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
        self.examples: list[str] = []

    def broken(self, kind: str, count: int, example: str) -> None:
        """Counts faults of a kind; none if `count` is 0."""
        if count:
            self.counts[kind] += count
            self.examples.append(f"round {self.counts['rounds']}, {kind}: {example}")
