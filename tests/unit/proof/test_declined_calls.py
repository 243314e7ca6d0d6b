"""An overloaded replica declines calls: they wait for their turn, first in, first out, and are not lost."""

import asyncio
import math

import numpy as np
import pytest

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof import call_limit
from facewire_server.proof.call_limit import CallLimit
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.served import Answer, Declined
from facewire_server.work.deadline import time_limit
from fakes.clock import Clock
from fakes.models import FakeReplica, FakeServed

RIGHT = np.ones((1, 2), np.float32)
INPUTS = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}


async def prove(model) -> None:
    await model.predict(INPUTS)


class Full(FakeReplica):
    """Works on `threads` calls at once, each for two turns of the event loop, and declines others, or the next `declines` calls."""

    threads = 7

    def __init__(self, address: str) -> None:
        super().__init__(address, (1, RIGHT))
        self.busy = self.most_busy = self.declined = self.declines = 0
        self.is_limit = True
        self.order: list[int] = []

    async def answer(self, inputs, timeout_s) -> Answer:
        await asyncio.sleep(0)
        if self.busy >= self.threads or self.declines:
            self.declines = max(0, self.declines - 1)
            self.declined += 1
            raise Declined("full", is_limit=self.is_limit)
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            self.order.append(int(inputs["faces"][0, 0, 0, 0]))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return await super().answer(inputs, timeout_s)
        finally:
            self.busy -= 1


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    at_rest = Clock()
    monkeypatch.setattr(call_limit, "time", at_rest)
    return at_rest


@pytest.fixture
def served() -> FakeServed:
    made = FakeServed()
    made.members = [Full("10.0.0.1:1")]
    return made


@pytest.fixture
async def line(served: FakeServed) -> ProvenModel:
    made = ProvenModel(served, prove)
    await made.check()
    return made


def picture(number: int) -> dict[str, np.ndarray]:
    return {"faces": np.full((1, 112, 112, 3), number, np.uint8)}


async def test_no_call_is_lost_and_few_are_declined(line, served) -> None:
    (full,) = served.members
    async with time_limit(60):
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(200)))
    assert full.most_busy == 7
    # 193 of the first 200 meet a full replica; from then on the limit is known.
    assert line.declined == full.declined == 193


async def test_the_limit_that_was_learned_holds_for_the_next_calls(line, served) -> None:
    (full,) = served.members
    async with time_limit(60):
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(20)))
        full.declined = 0
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(200)))
    assert full.declined == 0


async def test_the_limit_is_raised_again_by_one_call_a_second(line, served, clock) -> None:
    (full,) = served.members
    async with time_limit(60):
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(20)))
        full.threads = 20
        for most in (8, 9, 10):
            clock.now_s += 1.0
            full.most_busy = 0
            await asyncio.gather(*(line.predict(INPUTS) for _ in range(20)))
            await asyncio.gather(*(line.predict(INPUTS) for _ in range(20)))
            assert full.most_busy == most


async def test_calls_wait_in_the_order_in_which_they_came(line, served) -> None:
    (full,) = served.members
    async with time_limit(60):
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(20)))
        full.order.clear()
        await asyncio.gather(*(line.predict(picture(number)) for number in range(50)))
    assert full.order == sorted(full.order)


async def test_a_check_does_not_wait_behind_pictures(line, served) -> None:
    (full,) = served.members
    full.gate.clear()
    async with time_limit(60):
        calls = [asyncio.create_task(line.predict(INPUTS)) for _ in range(50)]
        await asyncio.sleep(0)
        check = asyncio.create_task(line.check())
        await asyncio.sleep(0)
        full.gate.set()
        await check
        assert line.waiting_count > 0
        await asyncio.gather(*calls)


async def test_a_call_goes_to_the_replica_that_has_a_place(line, served) -> None:
    served.members.append(Full("10.0.0.2:1"))
    await line.check()
    async with time_limit(60):
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(14)))
    assert line.declined == 0
    assert [one.most_busy for one in served.members] == [7, 7]


async def test_one_that_other_callers_have_filled_is_called_until_the_time_is_over(
    line, served
) -> None:
    (full,) = served.members
    full.threads = 0

    async def others_end() -> None:
        while full.declined < 5:
            await asyncio.sleep(0)
        full.threads = 7

    async with time_limit(60):
        await asyncio.gather(line.predict(INPUTS), others_end())
    full.threads = 0
    with pytest.raises(TimedOut):
        async with time_limit(0.2):
            await line.predict(INPUTS)


async def test_one_that_is_often_not_available_costs_no_call(line, served) -> None:
    (full,) = served.members
    full.is_limit = False
    async with time_limit(60):
        for _ in range(3):
            full.declines = 7
            await line.predict(INPUTS)
    assert full.declined == 21


async def test_one_that_is_not_available_at_all_does_not_hold_pictures_back(line, served) -> None:
    (full,) = served.members
    full.threads, full.is_limit = 0, False
    async with time_limit(60):
        calls = (line.predict(INPUTS) for _ in range(10))
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in failures] == [Declined] * 10
        full.declined = 0
        with pytest.raises(ModelUnavailable, match="full"):
            await line.predict(INPUTS)
    assert full.declined == 6


async def test_one_that_declines_everything_is_left_out_and_no_call_is_lost(line, served) -> None:
    bad = Full("10.0.0.2:1")
    served.members.append(bad)
    await line.check()
    bad.threads = 0
    async with time_limit(60):
        for _ in range(20):
            await line.predict(INPUTS)
    assert (bad.declined, line.left_out_count) == (3, 1)


@pytest.mark.parametrize("is_limit", [True, False])
async def test_a_call_that_is_declined_does_not_go_to_a_replica_that_is_left_out(
    line, served, is_limit: bool
) -> None:
    (good,) = served.members
    bad = FakeReplica("10.0.0.2:1", (1, RIGHT))
    served.members.append(bad)
    await line.check()
    bad.result = ModelUnavailable("INTERNAL")
    async with time_limit(60):
        while not line.left_out_count:
            await line.predict(INPUTS)
        before, good.declines, good.is_limit = bad.asked, 2, is_limit
        await line.predict(INPUTS)
    assert (bad.asked, good.declined) == (before, 2)


async def test_a_caller_that_goes_away_leaves_its_place(line, served) -> None:
    (full,) = served.members
    full.gate.clear()
    async with time_limit(60):
        calls = [asyncio.create_task(line.predict(INPUTS)) for _ in range(10)]
        for _ in range(5):
            await asyncio.sleep(0)
        for one in calls:
            one.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        full.gate.set()
        assert line.waiting_count == 0
        await asyncio.gather(*(line.predict(INPUTS) for _ in range(20)))


async def test_of_two_callers_of_one_replica_neither_is_kept_out(clock: Clock) -> None:
    """The one that was alone before has all of it at first."""
    one, other = limits = CallLimit(), CallLimit()
    one.calls, other.calls = 13.0, 1.0
    for _ in range(300):
        for limit in limits:
            clock.now_s += 0.5
            limit.in_flight = math.ceil(limit.calls)
            limit.took()
            if math.ceil(one.calls) + math.ceil(other.calls) > 14:
                limit.in_flight = math.ceil(limit.calls)
                limit.declined()
    assert min(one.calls, other.calls) >= 4
    assert 12 <= one.calls + other.calls <= 14


def test_a_limit_is_unknown_at_first_and_at_least_one() -> None:
    limit = CallLimit()
    assert limit.calls == math.inf
    limit.in_flight = 1
    limit.declined()
    assert limit.calls == 1
    limit.in_flight = 0
    assert not limit.is_reached
