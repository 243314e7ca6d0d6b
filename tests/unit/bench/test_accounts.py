"""Accounts of a stream report each frame that is not accounted for once and in order; Jain's index."""

import pytest

from facewire.v1 import recognition_pb2
from harness.accounts import Accounts
from harness.shares import Counted, jain_index

Response = recognition_pb2.StreamRecognizeResponse


def answered(sequence: int) -> Response:
    return Response(frame=recognition_pb2.FrameResult(sequence=sequence))


def skipped(first: int, last: int, count: int) -> Response:
    return Response(
        skipped=recognition_pb2.FramesSkipped(
            first_sequence=first,
            last_sequence=last,
            frame_count=count,
            reason=recognition_pb2.SKIP_REASON_SUPERSEDED,
        )
    )


def accounts_of(sequences: list[int], answers: list[Response]) -> Accounts:
    accounts = Accounts()
    for sequence in sequences:
        accounts.send(sequence)
    for answer in answers:
        accounts.take(answer)
    accounts.end()
    return accounts


def test_frames_that_are_answered_or_skipped_in_order_are_no_fault() -> None:
    started = Response(started=recognition_pb2.StreamStarted())
    found = accounts_of([1, 2, 5, 9], [started, answered(1), skipped(2, 5, 2), answered(9)])
    assert found.faults == []
    assert (found.sent, found.answered, found.skipped) == (4, 2, {"SUPERSEDED": 2})


@pytest.mark.parametrize(
    "answers",
    [
        [answered(1), answered(2)],
        [answered(1), answered(2), skipped(5, 5, 1)],
        [answered(2), answered(1), answered(5)],
        [answered(1), answered(1), answered(2), answered(5)],
        [answered(1), answered(2), answered(5), answered(5)],
        [answered(1), skipped(2, 2, 2), answered(5)],
        [answered(1), skipped(2, 3, 1), answered(5)],
        [skipped(1, 5, 2), answered(5)],
        [],
    ],
    ids=["lost", "last", "order", "twice", "late", "count", "range", "overlap", "none"],
)
def test_each_deviation_is_a_fault(answers: list[Response]) -> None:
    assert accounts_of([1, 2, 5], answers).faults


def test_a_party_counts_all_its_streams() -> None:
    party = Counted(accounts=[accounts_of([1], [answered(1)]), accounts_of([1, 2], [answered(2)])])
    assert party.sent == 3
    assert len(party.faults) == 2


def test_jains_index_is_1_for_equal_shares_and_1_of_n_for_one_that_has_all() -> None:
    assert jain_index([3, 3, 3, 3]) == 1
    assert jain_index([5, 0, 0, 0]) == 0.25
    assert jain_index([1, 3]) == 0.8
    assert jain_index([0, 0]) == 1
