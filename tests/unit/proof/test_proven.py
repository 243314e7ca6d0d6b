"""Only results of proven versions are used, whichever replica answers."""

import asyncio
import random

import numpy as np
import pytest

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof import proven
from facewire_server.proof.proven import ProvenModel
from fakes.models import FakeServed

RIGHT, WRONG = np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)
INPUTS = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}


async def prove(model) -> None:
    answer = await model.predict(INPUTS)
    if not answer["embeddings"].all():
        raise ModelUnavailable("another model")


def model(*replicas) -> tuple[ProvenModel, FakeServed]:
    served = FakeServed(*replicas)
    return ProvenModel(served, prove), served


class Clock:
    """`time`, which stands still until the test moves it."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    at_rest = Clock()
    monkeypatch.setattr(proven, "time", at_rest)
    return at_rest


async def test_the_first_answer_is_used_when_its_version_is_proven() -> None:
    line, served = model((1, RIGHT))
    assert (await line.predict(INPUTS))["embeddings"] is RIGHT
    assert line.versions == (1,)
    for _ in range(5):
        await line.predict(INPUTS)
    assert served.asked == {1: 1 + 1 + 5}, "the canary is shown once"


async def test_frames_that_wait_for_a_proof_share_it() -> None:
    line, served = model((1, RIGHT))
    await asyncio.gather(*(line.predict(INPUTS) for _ in range(10)))
    assert served.asked == {1: 10 + 1}


async def test_nothing_of_a_wrong_model_is_used() -> None:
    line, _ = model((1, WRONG))
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="version 1"):
            await line.predict(INPUTS)
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()


async def test_a_new_version_is_proven_before_it_is_used() -> None:
    line, served = model((1, RIGHT))
    await line.predict(INPUTS)
    served.replicas = [(2, WRONG)]
    with pytest.raises(ModelUnavailable):
        await line.predict(INPUTS)
    served.replicas = [(3, RIGHT)]
    await line.predict(INPUTS)
    assert line.versions == (3,)


async def test_a_wrong_version_on_one_replica_costs_nothing_but_a_second_call() -> None:
    line, _ = model((1, RIGHT), (2, WRONG))
    for _ in range(20):
        assert (await line.predict(INPUTS))["embeddings"] is RIGHT


async def test_a_wrong_version_beside_a_right_one_is_reported_and_ends_nothing() -> None:
    line, _ = model((1, RIGHT), (2, WRONG))
    await line.check()
    assert (line.versions, line.refusal) == ((1,), "another model")


async def test_a_wrong_version_in_the_place_of_a_right_one_is_reported_at_once() -> None:
    line, served = model((1, RIGHT))
    await line.check()
    served.replicas = [(2, WRONG)]
    with pytest.raises(ModelUnavailable, match="not proven"):
        await line.predict(INPUTS)
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()


async def test_replicas_in_two_versions_are_both_used() -> None:
    line, _ = model((1, RIGHT), (2, RIGHT))
    for _ in range(6):
        await line.predict(INPUTS)
    assert line.versions == (1, 2)


async def test_after_a_lost_connection_a_model_is_proven_again() -> None:
    line, served = model((1, RIGHT))
    await line.predict(INPUTS)
    served.connection += 1
    assert line.versions == ()
    served.replicas = [(1, WRONG)]
    with pytest.raises(ModelUnavailable, match="not proven"):
        await line.predict(INPUTS)


@pytest.mark.parametrize("error", [ModelUnavailable("busy"), TimedOut("late")])
async def test_an_error_is_raised_and_shows_no_canaries(error) -> None:
    """An overloaded model refuses calls, and would refuse more if each refusal cost a canary."""
    line, served = model((1, RIGHT))
    await line.check()
    served.state = error
    with pytest.raises(type(error), match=str(error)):
        await line.check()
    served.replicas = [error, (1, RIGHT)]
    served.skip(1)
    served.asked.clear()
    for _ in range(10):
        with pytest.raises(type(error), match=str(error)):
            await line.predict(INPUTS)
        await line.predict(INPUTS)
    assert served.asked == {1: 10}


async def test_after_a_lost_connection_the_next_check_proves_the_model_again(clock) -> None:
    line, served = model((1, RIGHT))
    await line.check()
    served.connection += 1
    await line.check()
    assert line.versions == (1,)


async def test_a_proof_is_renewed_and_can_be_lost(clock) -> None:
    line, served = model((1, RIGHT))
    await line.check()
    clock.now_s += 9
    served.replicas = [(1, WRONG)]
    await line.check()
    clock.now_s += 2
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()
    with pytest.raises(ModelUnavailable, match="not proven"):
        await line.predict(INPUTS)


async def test_a_version_that_no_longer_answers_is_forgotten(clock) -> None:
    line, served = model((1, RIGHT))
    await line.predict(INPUTS)
    served.replicas = [(2, RIGHT)]
    await line.predict(INPUTS)
    assert line.versions == (1, 2), "a result of 1 was used since the last canaries"
    clock.now_s += 11
    await line.check()
    assert list(line.versions) == [2]


async def test_a_version_whose_replica_a_renewal_misses_stays_proven_while_it_is_used(
    clock,
) -> None:
    """Otherwise each renewal would cost its next frame canaries, or itself."""
    line, served = model((1, RIGHT), (2, RIGHT))
    served.replica_count = 1
    for _ in range(4):
        await line.predict(INPUTS)
    assert line.versions == (1, 2)
    clock.now_s += 11
    await line.check()
    assert line.versions == (1, 2)


async def test_canaries_without_an_answer_prove_nothing_and_refuse_nothing(clock) -> None:
    line, served = model((1, RIGHT))
    await line.check()
    clock.now_s += 11
    served.replicas = [TimedOut("late")]
    await line.check()
    assert (line.versions, line.refusal) == ((1,), "late")
    served.replicas = [(1, WRONG)]
    with pytest.raises(ModelUnavailable, match="another model"):
        await line.check()


@pytest.mark.parametrize(("replica_count", "canaries"), [(0, 2), (1, 1), (3, 3)])
async def test_as_many_canaries_are_shown_as_replicas_are_known(
    replica_count: int, canaries: int
) -> None:
    line, served = model((1, RIGHT))
    served.replica_count = replica_count
    await line.check()
    assert served.asked == {1: canaries}


async def test_of_two_replicas_of_one_version_both_must_be_right() -> None:
    line, _ = model((1, RIGHT), (1, WRONG))
    for _ in range(5):
        with pytest.raises(ModelUnavailable, match="another model"):
            await line.check()
        with pytest.raises(ModelUnavailable, match="not proven"):
            await line.predict(INPUTS)


async def test_a_version_that_failed_must_pass_five_rounds_in_a_row() -> None:
    line, served = model((1, WRONG))
    for weights in (WRONG, RIGHT, RIGHT, WRONG, RIGHT, RIGHT, RIGHT, RIGHT):
        served.replicas = [(1, weights)]
        with pytest.raises(ModelUnavailable, match=r"another model|proven since"):
            await line.check()
        with pytest.raises(ModelUnavailable, match="not proven"):
            await line.predict(INPUTS)
    await line.check()
    await line.predict(INPUTS)
    assert line.versions == (1,)


@pytest.mark.parametrize("seed", range(10))
async def test_a_replica_with_other_weights_is_not_used_after_a_renewal_has_reached_it(
    clock, seed: int
) -> None:
    """A minute of 20 calls a second, whose turns are at random; no call finds its restart."""
    chance = random.Random(seed)
    line, served = model((1, RIGHT), (1, RIGHT))
    await line.check()
    served.replicas[1] = (1, WRONG)
    wrong_at_s, refused_at_s = [], 60.0
    for _ in range(60):
        clock.now_s += 1
        served.skip(chance.randrange(2))
        try:
            await line.check()
        except ModelUnavailable:
            refused_at_s = min(refused_at_s, clock.now_s)
        for _ in range(20):
            served.skip(chance.randrange(2))
            try:
                answer = await line.predict(INPUTS)
            except ModelUnavailable:
                continue
            if answer["embeddings"] is WRONG:
                wrong_at_s.append(clock.now_s)
    assert wrong_at_s, "until the renewal nothing shows it"
    assert max(wrong_at_s) < refused_at_s == 11.0


async def test_a_result_that_is_computed_again_is_counted() -> None:
    line, _ = model((2, WRONG), (1, RIGHT))
    await line.check()
    for _ in range(4):
        await line.predict(INPUTS)
    assert line.retried == 4, "the first turn is the wrong replica's, the second the right one's"
