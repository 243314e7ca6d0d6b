"""What each party of a load got, and how evenly it is shared."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.accounts import Accounts

__all__ = ["Answer", "Counted", "jain_index"]


class Answer(NamedTuple):
    """A frame that was recognized: when its answer came, how long after it was captured, and its sequence."""

    at_s: float
    age_s: float
    sequence: int


@dataclass(slots=True)
class Counted:
    """What a party got: responses and what was refused, until the load began to end.

    Attributes:
        answers: of frames that were recognized, and of calls.
        refused: reasons of frames that were not, and status codes of failed calls.
        late: frames that a camera did not send, since the connection had not taken the one before.
        ended: how streams ended: reasons of the errors, or "OK" before the load began to end.
        accounts: of all its streams.
    """

    answers: list[Answer] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    late: int = 0
    ended: list[str] = field(default_factory=list)
    accounts: list[Accounts] = field(default_factory=list)

    @property
    def ages(self) -> list[float]:
        """Ages of the answers, seconds."""
        return [one.age_s for one in self.answers]

    @property
    def faults(self) -> list[str]:
        """What its streams were promised and did not get."""
        return [fault for one in self.accounts for fault in one.faults]

    @property
    def sent(self) -> int:
        """Frames sent on all its streams."""
        return sum(one.sent for one in self.accounts)

    @property
    def skipped(self) -> Counter[str]:
        """Frames that were skipped on all its streams, by reason."""
        return sum((one.skipped for one in self.accounts), Counter())


def jain_index(shares: Sequence[float]) -> float:
    """Returns how evenly something is shared: 1 = all have the same, 1/n = one has it all.

    Jain, Chiu, Hawe 1984, "A Quantitative Measure of Fairness and Discrimination for Resource Allocation in Shared Computer Systems".
    """
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0
