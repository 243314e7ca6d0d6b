"""The account of a stream: whatever happens in whatever order, it adds up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from facewire_server.errors import OutOfOrder
from facewire_server.streams.ledger import Entry, Ledger
from facewire_server.streams.values import Skipped, SkipReason

AT_ONCE = 3


class LedgerMachine(RuleBasedStateMachine):
    """Admits, begins, settles and takes in any order, beside a list that remembers all."""

    @initialize(credit=st.integers(1, 5), newest_wins=st.booleans())
    def start(self, credit: int, newest_wins: bool) -> None:
        self.held: set[str] = set()
        self.ledger: Ledger[str, str] = Ledger(max_in_flight=credit, let_go=self.held.remove)
        self.newest_wins = newest_wins
        self.sent: list[int] = []
        self.in_work: list[Entry[str, str]] = []
        self.accounted: list[int] = []
        self.answered: list[int] = []
        self.draining = False
        self.taken = 0

    @precondition(lambda self: not self.draining)
    @rule(gap=st.integers(1, 1000))
    def admit(self, gap: int) -> None:
        sequence = (self.sent[-1] if self.sent else 0) + gap
        self.held.add(f"frame {sequence}")
        self.ledger.admit(sequence, f"frame {sequence}")
        self.sent.append(sequence)
        if self.newest_wins:
            self.ledger.skip_superseded()

    @precondition(lambda self: len(self.in_work) < AT_ONCE)
    @rule()
    def begin(self) -> None:
        waiting = self.ledger.has_waiting
        slot = self.ledger.begin()
        assert (slot is not None) is waiting
        if slot is not None:
            assert slot.frame == f"frame {slot.sequence}"
            assert not self.newest_wins or slot.sequence == self.sent[-1]
            self.in_work.append(slot)

    @precondition(lambda self: self.in_work)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        slot = self.in_work.pop(data.draw(st.integers(0, len(self.in_work) - 1)))
        self.ledger.settle(slot, f"answer {slot.sequence}")
        assert slot.frame is None

    @rule()
    def take(self) -> None:
        has_next = self.ledger.has_next
        entry = self.ledger.take()
        assert (entry is not None) is has_next
        self.taken += has_next
        if isinstance(entry, Skipped):
            within = [
                one for one in self.sent if entry.first_sequence <= one <= entry.last_sequence
            ]
            assert entry.frame_count == len(within)
            assert {entry.first_sequence, entry.last_sequence} <= set(within)
            self.accounted += within
        elif entry is not None:
            sequence = int(entry.split()[1])
            self.accounted.append(sequence)
            self.answered.append(sequence)

    @rule()
    def shut_down(self) -> None:
        self.draining = True
        self.ledger.skip_all()
        assert not self.ledger.has_waiting

    @invariant()
    def accounted_once_in_order(self) -> None:
        if hasattr(self, "ledger"):
            assert self.accounted == self.sent[: len(self.accounted)]
            assert self.ledger.outstanding == len(self.sent) - len(self.accounted)

    @invariant()
    def frames_that_wait_or_are_in_work_are_held(self) -> None:
        if hasattr(self, "ledger"):
            held = [*self.ledger._waiting, *self.in_work]
            assert self.held == {entry.frame for entry in held}

    @invariant()
    def memory_is_bounded_while_nobody_reads(self) -> None:
        if hasattr(self, "ledger") and self.newest_wins:
            assert len(self.ledger._waiting) <= 1
            ranges = sum(isinstance(entry, Skipped) for entry in self.ledger._begun)
            others = len(self.ledger._begun) - ranges
            # Between two begun frames: one by each reason, and the reason changes back only
            # when something was taken; shutting down adds one at the end.
            assert ranges <= 2 * (others + 1) + 1 + self.taken

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        while (begun := self.ledger.begin()) is not None:
            self.in_work.append(begun)
        for slot in self.in_work:
            self.ledger.settle(slot, f"answer {slot.sequence}")
        while self.ledger.outstanding:
            self.take()
        assert self.accounted == self.sent
        if self.sent and not self.draining:
            assert self.answered[-1] == self.sent[-1], "the last frame is always answered"


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=150, stateful_step_count=40)


@pytest.mark.parametrize("sequence", [0, 5, 4])
def test_a_sequence_that_does_not_increase_is_refused(sequence: int) -> None:
    ledger: Ledger[str, str] = Ledger(max_in_flight=4, let_go=lambda _: None)
    ledger.admit(5, "")
    with pytest.raises(OutOfOrder):
        ledger.admit(sequence, "")


@given(st.integers(2, 10_000))
@settings(max_examples=20)
def test_a_flood_behind_one_frame_in_work_is_two_ranges(count: int) -> None:
    ledger: Ledger[str, str] = Ledger(max_in_flight=4, let_go=lambda _: None)
    ledger.admit(1, "")
    slot = ledger.begin()
    for sequence in range(2, count + 2):
        ledger.admit(sequence, "")
        ledger.skip_superseded()
    assert len(ledger._begun) <= 3
    assert slot is not None
    ledger.settle(slot, "answer")
    assert ledger.take() == "answer"
    skipped = []
    while isinstance(entry := ledger.take(), Skipped):
        skipped.append((entry.reason, entry.frame_count))
    # Frames 2 to 4 were within the credit when the next one came; the newest still waits.
    within = min(count - 1, 2)
    assert skipped[0] == (SkipReason.SUPERSEDED, within)
    assert skipped[1:] == ([(SkipReason.OVER_CREDIT, count - 1 - within)] if count > 3 else [])
