"""What workers show each other: a worker that hangs, or does not serve, is seen by all others; one that takes no calls by none."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from facewire_server.workers.table import Slot, Table

BOTH = 3


@pytest.fixture
def table() -> Iterator[Table]:
    with closing(Table(4)) as table:
        yield table


def test_a_service_serves_elsewhere_if_every_worker_that_takes_calls_serves_it(
    table: Table,
) -> None:
    own, first, second, starting = (Slot(table, slot) for slot in range(4))
    own.publish_health(0)
    assert own.health_elsewhere(BOTH) == BOTH
    for one in (first, second):
        one.publish_health(BOTH)
        one.set_takes_calls(True)
    starting.publish_health(0)
    assert own.health_elsewhere(BOTH) == BOTH
    second.publish_health(1)
    assert own.health_elsewhere(BOTH) == 1
    assert first.health_elsewhere(BOTH) == 1
    second.set_takes_calls(False)
    assert own.health_elsewhere(BOTH) == BOTH


def test_a_worker_whose_event_loop_stands_still_serves_nothing_until_it_beats(
    table: Table,
) -> None:
    own, other = Slot(table, 0), Slot(table, 1)
    other.publish_health(BOTH)
    other.set_takes_calls(True)
    found = [own.health_elsewhere(BOTH) for _ in range(20)]
    assert (found[0], found[-1]) == (BOTH, 0)
    other.beat()
    assert own.health_elsewhere(BOTH) == BOTH


def test_the_slot_of_a_worker_that_has_ended_says_nothing(table: Table) -> None:
    own, gone = Slot(table, 0), Slot(table, 1)
    gone.set_takes_calls(True)
    gone.publish_health(1)
    table.clear(1)
    Slot(table, 1).set_takes_calls(True)
    assert own.health_elsewhere(BOTH) == 0


def test_no_stream_is_left_to_a_worker_that_stands_still_or_serves_less(table: Table) -> None:
    own, other = Slot(table, 0), Slot(table, 1)
    own.publish_health(BOTH)
    other.publish_health(BOTH)
    other.publish(1)
    other.set_takes_calls(True)
    assert own.least_elsewhere == 1
    other.publish_health(2)
    assert own.least_elsewhere is None
    other.publish_health(BOTH)
    for _ in range(4):  # a look a second, and no beat
        own.health_elsewhere(BOTH)
    assert own.least_elsewhere is None
    other.beat()
    own.health_elsewhere(BOTH)
    assert own.least_elsewhere == 1
