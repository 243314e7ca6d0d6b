"""A replica that fails calls in a row is left out, is probed by canaries, and comes back when it passes one."""

import asyncio

import numpy as np
import pytest

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof import standing, verdicts
from facewire_server.proof.proven import ProvenModel
from fakes.clock import Clock
from fakes.models import FakeReplica, FakeServed

RIGHT = np.ones((1, 2), np.float32)
INPUTS = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}
FAILED = ModelUnavailable("INTERNAL")


async def prove(model) -> None:
    await model.predict(INPUTS)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    at_rest = Clock()
    for room in (standing, verdicts):
        monkeypatch.setattr(room, "time", at_rest)
    return at_rest


@pytest.fixture
def served() -> FakeServed:
    return FakeServed((1, RIGHT), (1, RIGHT))


@pytest.fixture
async def line(served: FakeServed, clock: Clock) -> ProvenModel:
    made = ProvenModel(served, prove)
    await made.check()
    return made


async def until_left_out(line: ProvenModel, bad: FakeReplica, failure: Exception = FAILED) -> int:
    """Returns how many calls it had before it was left out."""
    bad.result, before = failure, bad.asked
    while not line.left_out_count:
        await line.predict(INPUTS)
    return bad.asked - before


async def test_it_is_left_out_after_three_failures_and_no_call_is_lost(line, served) -> None:
    bad, _ = served.members
    assert await until_left_out(line, bad) == 3
    for _ in range(10):
        await line.predict(INPUTS)
    assert bad.asked == 1 + 3
    assert line.versions == (1,)
    assert line.refusal == "1 of 2 replicas left out: 10.0.0.1:1: INTERNAL"
    await line.check()  # the model is ready


async def test_a_success_in_between_begins_the_count_again(line, served) -> None:
    bad, _ = served.members
    for _ in range(5):
        for result in (FAILED, FAILED, (1, RIGHT)):
            bad.result, before = result, bad.asked
            while bad.asked == before:
                await line.predict(INPUTS)
    assert line.left_out_count == 0


async def test_it_is_probed_by_canaries_ever_more_seldom_and_comes_back(
    line, served, clock
) -> None:
    bad, _ = served.members
    await until_left_out(line, bad)
    probed_at_s = []
    for _ in range(40):
        clock.now_s += 1
        before = bad.asked
        await line.check()
        if bad.asked > before:
            probed_at_s.append(clock.now_s)
        await line.predict(INPUTS)
    assert np.diff([0, *probed_at_s]).tolist() == [1, 2, 4, 8, 10, 10]
    bad.result = (1, RIGHT)
    while line.left_out_count:
        clock.now_s += 1
        await line.check()
    before = bad.asked
    for _ in range(4):
        await line.predict(INPUTS)
    assert bad.asked == before + 2


async def test_one_that_connected_again_is_probed_at_the_next_check(line, served, clock) -> None:
    bad, _ = served.members
    await until_left_out(line, bad)
    for _ in range(20):
        clock.now_s += 1
        await line.check()
    bad.result = (1, RIGHT)
    bad.connection += 1
    await line.check()
    assert line.left_out_count == 0


async def test_one_whose_check_fails_is_left_out_at_once_and_comes_back_with_it(
    line, served
) -> None:
    bad, _ = served.members
    bad.state = ModelUnavailable("not available: version 1 in state 20")
    await line.check()
    assert "not available: version 1 in state 20" in line.refusal
    bad.state = None
    await line.check()
    assert line.refusal == ""


async def test_when_all_fail_the_model_is_not_ready_and_is_called_all_the_same(
    line, served
) -> None:
    for one in served.members:
        one.result = FAILED
    for _ in range(6):
        with pytest.raises(ModelUnavailable):
            await line.predict(INPUTS)
    assert line.left_out_count == 2
    with pytest.raises(ModelUnavailable, match="2 of 2 replicas left out"):
        await line.check()
    served.members[1].result = (1, RIGHT)
    await line.predict(INPUTS)
    assert line.left_out_count == 1, "the call that succeeds takes it back"
    await line.check()


async def test_one_that_times_out_is_left_out(line, served) -> None:
    assert await until_left_out(line, served.members[0], TimedOut("late")) == 3


async def test_calls_avoid_one_whose_calls_do_not_end(line, served) -> None:
    """Each that hangs counts as in flight, so the other one has fewer."""
    hanging, good = served.members
    hanging.gate.clear()
    stuck = []
    while hanging.asked == 1:
        stuck.append(asyncio.create_task(line.predict(INPUTS)))
        await asyncio.sleep(0)
    for _ in range(20):
        await line.predict(INPUTS)
    assert hanging.asked == 2
    assert good.asked > 20
    hanging.gate.set()
    await asyncio.gather(*stuck)
