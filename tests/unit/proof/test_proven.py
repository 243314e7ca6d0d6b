"""Only results of proven versions are used, whichever replica answers; a call that fails is made on another one."""

import asyncio

import numpy as np
import pytest

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof import verdicts
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.served import Answer
from facewire_server.work.deadline import time_limit
from fakes.clock import Clock
from fakes.models import FakeReplica, FakeServed

RIGHT, WRONG = np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)
INPUTS = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}
AWAY = ModelUnavailable("away")


async def prove(model) -> None:
    answer = await model.predict(INPUTS)
    if not answer["embeddings"].all():
        raise ModelUnavailable("another model")


def model(*results) -> tuple[ProvenModel, list[FakeReplica]]:
    served = FakeServed(*results)
    return ProvenModel(served, prove), served.members


async def predict(line: ProvenModel) -> np.ndarray:
    return (await line.predict(INPUTS))["embeddings"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    at_rest = Clock()
    monkeypatch.setattr(verdicts, "time", at_rest)
    return at_rest


async def test_the_first_answer_is_used_when_its_version_is_proven() -> None:
    line, (one,) = model((1, RIGHT))
    assert await predict(line) is RIGHT
    assert line.versions == (1,)
    for _ in range(5):
        await predict(line)
    assert one.asked == 1 + 1 + 5, "the canary is shown once"


async def test_pictures_that_wait_for_a_proof_share_it() -> None:
    line, (one,) = model((1, RIGHT))
    await asyncio.gather(*(predict(line) for _ in range(10)))
    assert one.asked == 10 + 1


async def test_each_replica_is_shown_a_canary_of_its_own() -> None:
    line, replicas = model((1, RIGHT), (1, RIGHT), (1, RIGHT))
    await line.check()
    assert [one.asked for one in replicas] == [1, 1, 1]


async def test_nothing_of_a_wrong_model_is_used() -> None:
    line, _ = model((1, WRONG))
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match=r"version 1|another model"):
            await predict(line)
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()


async def test_a_new_version_is_proven_before_it_is_used() -> None:
    line, (one,) = model((1, RIGHT))
    await predict(line)
    one.result = (2, WRONG)
    with pytest.raises(ModelUnavailable):
        await predict(line)
    one.result = (3, RIGHT)
    await line.check()
    assert await predict(line) is RIGHT
    assert line.versions == (3,)


async def test_a_wrong_replica_is_found_by_one_canary_and_its_results_are_not_used() -> None:
    """Although it serves the same version as a right one."""
    line, (_, wrong) = model((1, RIGHT), (1, WRONG))
    await line.check()
    before = wrong.asked
    for _ in range(20):
        assert await predict(line) is RIGHT
    assert wrong.asked == before
    assert line.left_out_count == 1
    assert line.refusal == "1 of 2 replicas left out: 10.0.0.2:1: another model"


async def test_a_wrong_version_that_a_picture_meets_costs_it_a_second_call() -> None:
    line, (one, other) = model((1, RIGHT), (1, RIGHT))
    await line.check()
    one.result = other.result = (1, RIGHT)
    one.result = (2, WRONG)
    for _ in range(4):
        assert await predict(line) is RIGHT
    assert line.retried == 1, "then it is left out"


async def test_replicas_in_two_versions_are_both_used() -> None:
    line, replicas = model((1, RIGHT), (2, RIGHT))
    await line.check()
    for _ in range(6):
        await predict(line)
    assert line.versions == (1, 2)
    assert [one.asked for one in replicas] == [4, 4]


async def test_after_a_lost_connection_a_replica_is_proven_again_and_the_others_are_not() -> None:
    line, (one, other) = model((1, RIGHT), (1, RIGHT))
    await line.check()
    one.connection += 1
    one.result = (1, WRONG)
    for _ in range(4):
        assert await predict(line) is RIGHT
    assert other.asked == 1 + 4, "its proof was not lost"
    await line.check()
    assert (line.left_out_count, one.asked) == (1, 2)


async def test_after_a_lost_connection_a_result_waits_for_the_proof() -> None:
    line, (one,) = model((1, RIGHT))
    await predict(line)
    one.connection += 1
    assert line.versions == ()
    one.result = (1, WRONG)
    with pytest.raises(ModelUnavailable, match=r"not proven|another model"):
        await predict(line)


async def test_a_proof_is_renewed_and_can_be_lost(clock) -> None:
    line, (one,) = model((1, RIGHT))
    await line.check()
    clock.now_s += 9
    one.result = (1, WRONG)
    await line.check()
    clock.now_s += 2
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()
    with pytest.raises(ModelUnavailable, match="another model"):
        await predict(line)


async def test_a_version_that_no_longer_answers_is_forgotten(clock) -> None:
    line, (one,) = model((1, RIGHT))
    await predict(line)
    one.result = (2, RIGHT)
    await predict(line)
    assert line.versions == (1, 2), "a result of 1 was used since the last canaries"
    clock.now_s += 11
    await line.check()
    assert list(line.versions) == [2]


async def test_a_canary_without_an_answer_proves_nothing_and_refuses_nothing(clock) -> None:
    line, (one,) = model((1, RIGHT))
    await line.check()
    clock.now_s += 11
    one.result = TimedOut("late")
    await line.check()
    assert (line.versions, line.refusal) == ((1,), "")
    one.result = (1, WRONG)
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()


async def test_a_version_that_failed_must_pass_five_rounds_in_a_row() -> None:
    line, (one,) = model((1, WRONG))
    for weights in (WRONG, RIGHT, RIGHT, WRONG, RIGHT, RIGHT, RIGHT, RIGHT):
        one.result = (1, weights)
        with pytest.raises(ModelUnavailable, match=r"another model|canary since"):
            await line.check()
        with pytest.raises(ModelUnavailable, match=r"another model|canary since"):
            await predict(line)
    await line.check()
    assert await predict(line) is RIGHT
    assert line.versions == (1,)


async def test_a_call_that_fails_is_made_on_another_replica() -> None:
    line, (one, other) = model((1, RIGHT), (1, RIGHT))
    await line.check()
    for failure in (AWAY, TimedOut("late"), ModelUnavailable("garbage")):
        for bad, good in ((one, other), (other, one)):
            bad.result, good.result = failure, (1, RIGHT)
            assert [await predict(line) is RIGHT for _ in range(2)] == [True, True]
    assert line.repeated >= 6


async def test_a_call_that_fails_twice_has_failed() -> None:
    line, replicas = model((1, RIGHT), (1, RIGHT), (1, RIGHT))
    await line.check()
    for one in replicas:
        one.result = AWAY
    before = sum(one.asked for one in replicas)
    with pytest.raises(ModelUnavailable, match="away"):
        await predict(line)
    assert sum(one.asked for one in replicas) == before + 2


async def test_the_only_replica_is_called_again_only_if_its_connection_was_lost() -> None:
    line, (one,) = model((1, RIGHT))
    await line.check()
    one.result = AWAY
    with pytest.raises(ModelUnavailable):
        await predict(line)
    assert one.asked == 2
    one.is_connected = False
    with pytest.raises(ModelUnavailable):
        await predict(line)
    assert one.asked == 4


async def test_the_first_call_leaves_the_second_half_of_the_time_to_another_replica() -> None:
    line, (one, other) = model((1, RIGHT), (1, RIGHT))
    await line.check()
    one.result = TimedOut("late")
    one.timeouts_s.clear()
    other.timeouts_s.clear()
    async with time_limit(60):
        for _ in range(2):
            await predict(line)
    assert all(29 < (timeout_s or 0) <= 30 for timeout_s in one.timeouts_s)
    assert 59 < max(timeout_s or 0 for timeout_s in other.timeouts_s) <= 60, (
        "the second call has all that is left"
    )


async def test_a_replica_that_is_not_connected_is_not_called_while_another_is() -> None:
    line, (one, other) = model((1, RIGHT), (1, RIGHT))
    await line.check()
    one.is_connected = False
    for _ in range(5):
        await predict(line)
    assert (one.asked, other.asked) == (1, 1 + 5)


async def test_replicas_come_and_go_with_the_addresses() -> None:
    served = FakeServed((1, RIGHT), (1, RIGHT))
    line = ProvenModel(served, prove)
    kept, gone = served.members
    await line.check()
    added = FakeReplica("10.0.0.3:1", (1, RIGHT))
    served.members = [kept, added]
    await line.check()
    for _ in range(6):
        await predict(line)
    assert (kept.asked, gone.asked, added.asked) == (1 + 3, 1, 1 + 3)
    served.members = []
    with pytest.raises(ModelUnavailable, match="its name has no address"):
        await line.check()
    with pytest.raises(ModelUnavailable, match="its name has no address"):
        await predict(line)


class Late(FakeReplica):
    """Answers with the version that it had when the call came; the calls of `late` ones wait for the gate."""

    is_late = False

    async def answer(self, inputs, timeout_s):
        result = self.result
        assert not isinstance(result, Exception)
        version, output = result
        if self.is_late:
            await self.gate.wait()
        return Answer(version, {"embeddings": output})


async def test_a_late_result_of_the_version_before_takes_no_refused_replica_back() -> None:
    served = FakeServed()
    one = Late("10.0.0.1:1", (1, RIGHT))
    served.members = [one]
    line = ProvenModel(served, prove)
    await line.check()
    one.is_late = True
    one.gate.clear()
    late = asyncio.create_task(predict(line))
    await asyncio.sleep(0)
    one.is_late, one.result = False, (2, WRONG)
    with pytest.raises(ModelUnavailable):
        await predict(line)
    one.gate.set()
    assert await late is RIGHT, "its version is proven"
    assert (line.left_out_count, line.versions) == (1, ())


async def test_a_result_is_not_proven_by_a_canary_over_the_next_connection() -> None:
    """The container that made the result was replaced before its version was proven."""
    served = FakeServed()
    one = Late("10.0.0.1:1", (1, WRONG))
    served.members = [one]
    line = ProvenModel(served, prove)
    one.is_late = True
    one.gate.clear()
    call = asyncio.create_task(predict(line))
    await asyncio.sleep(0)
    one.is_late, one.result, one.connection = False, (1, RIGHT), 1
    one.gate.set()
    assert await call is RIGHT
    assert line.retried == 1


class Looked(FakeServed):
    """Counts how often its replicas are looked up, which takes a turn of the event loop."""

    looked = 0

    async def replicas(self):
        self.looked += 1
        await asyncio.sleep(0)
        return self.members


async def test_pictures_do_not_look_a_name_up_that_has_no_address() -> None:
    served = Looked()
    line = ProvenModel(served, prove)
    for _ in range(20):
        with pytest.raises(ModelUnavailable, match="its name has no address"):
            await predict(line)
    assert served.looked == 1
    served.members.append(FakeReplica("10.0.0.1:1", (1, RIGHT)))
    await line.check()
    await predict(line)
    assert served.looked == 2


async def test_calls_and_a_check_that_find_a_replica_at_once_have_one_of_it() -> None:
    served = Looked((1, RIGHT))
    line = ProvenModel(served, prove)
    await asyncio.gather(predict(line), line.check(), predict(line))
    (one,) = served.members
    assert one.asked == 2 + 1, "one canary is shown: the proof belongs to the replica"


async def test_a_check_that_hangs_delays_no_report_on_the_others(monkeypatch) -> None:
    monkeypatch.setattr("facewire_server.proof.checks._WAIT_S", 0.01)
    line, (one, other) = model((1, RIGHT), (1, RIGHT))
    await line.check()
    one.check = asyncio.Event().wait  # type: ignore[method-assign, assignment]
    other.state = ModelUnavailable("away")
    await line.check()
    assert line.refusal == "1 of 2 replicas left out: 10.0.0.2:1: away"
    other.state = None
    await line.check()
    assert line.refusal == ""
