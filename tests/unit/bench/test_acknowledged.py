"""The ledger of the crash tests: each broken promise is named, and what was cut off may have happened or not."""

import pytest

from harness.acknowledged import CHANGED, FOUND, LOST, Difference, Ledger, Person

ANN, BOB = Person("Ann", frozenset({"1", "2"})), Person("Bob")


@pytest.fixture
def ledger() -> Ledger:
    """Ann is enrolled, and Bob was deleted."""
    ledger = Ledger()
    for change in ({"ann": ANN, "bob": BOB}, {"bob": None}):
        ledger.begin(change)
        ledger.acknowledge(7)
    return ledger


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ({}, Difference(LOST, "ann")),
        ({"ann": ANN, "bob": BOB}, Difference(FOUND, "bob")),
        ({"ann": ANN, "eve": BOB}, Difference(FOUND, "eve")),
        ({"ann": ANN._replace(name="Anna")}, Difference(CHANGED, "ann")),
        ({"ann": ANN._replace(templates=frozenset({"1"}))}, Difference(CHANGED, "ann")),
        ({"ann": ANN._replace(negative_examples=frozenset({"3"}))}, Difference(CHANGED, "ann")),
    ],
)
def test_a_broken_promise_is_named_once(ledger: Ledger, found, difference) -> None:
    assert ledger.compare(found) == [difference]
    assert ledger.compare(found) == []


def test_a_change_that_was_cut_off_may_be_there_or_not(ledger: Ledger) -> None:
    ledger.begin({"ann": None, "eve": BOB})
    assert ledger.earlier().compare({"ann": ANN}) == []
    assert ledger.earlier().compare({"eve": BOB}) == []
    assert ledger.compare({"ann": BOB}) == [Difference(CHANGED, "ann")]


def test_a_merge_that_was_cut_off_is_there_wholly_or_not(ledger: Ledger) -> None:
    eve = Person("Eve", frozenset({"3"}))
    ledger.begin({"eve": eve})
    ledger.acknowledge(8)
    both = ANN._replace(templates=frozenset({"1", "2", "3"}))
    ledger.begin({"ann": both, "eve": None})
    assert ledger.earlier().compare({"ann": ANN, "eve": eve}) == []
    assert ledger.earlier().compare({"ann": both}) == []
    assert ledger.earlier().compare({"ann": both, "eve": eve}) == [Difference(CHANGED, "ann")]
    assert ledger.compare({"ann": ANN}) == [Difference(LOST, "eve")]


def test_of_two_moments_only_people_who_did_not_change_are_certain(ledger: Ledger) -> None:
    before = ledger.earlier()
    ledger.begin({"ann": ANN._replace(name="Anna"), "eve": BOB})
    ledger.acknowledge(8)
    assert before.same_as(ledger) == {"bob"}
    assert before.restricted_to({"bob"}).compare({}) == []
    assert before.restricted_to({"bob"}).compare({"bob": BOB}) == [Difference(FOUND, "bob")]
