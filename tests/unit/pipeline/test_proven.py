"""Only what a proven version answered is used, whichever replica answers."""

import asyncio

import numpy as np
import pytest

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.pipeline import proven
from facewire_server.pipeline.proven import ProvenModel
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
    assert served.asked == {1: 11}


async def test_a_wrong_model_answers_nothing() -> None:
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
    assert line.versions == (1, 3)


async def test_a_wrong_version_on_one_replica_costs_nothing_but_a_second_call() -> None:
    line, _ = model((1, RIGHT), (2, WRONG))
    for _ in range(20):
        assert (await line.predict(INPUTS))["embeddings"] is RIGHT


async def test_replicas_in_two_versions_are_both_used() -> None:
    line, _ = model((1, RIGHT), (2, RIGHT))
    for _ in range(6):
        await line.predict(INPUTS)
    assert line.versions == (1, 2)


async def test_a_model_that_was_away_is_proven_again() -> None:
    line, served = model((1, RIGHT))
    await line.predict(INPUTS)
    served.replicas = [ModelUnavailable("away")]
    with pytest.raises(ModelUnavailable, match="away"):
        await line.predict(INPUTS)
    served.replicas = [(1, WRONG)]
    with pytest.raises(ModelUnavailable, match="not proven"):
        await line.predict(INPUTS)


async def test_a_refused_version_gets_another_chance_with_the_next_check() -> None:
    line, served = model((1, WRONG))
    with pytest.raises(ModelUnavailable):
        await line.predict(INPUTS)
    served.replicas = [(1, RIGHT)]
    with pytest.raises(ModelUnavailable):
        await line.predict(INPUTS)
    await line.check()
    await line.predict(INPUTS)


@pytest.mark.parametrize("error", [ModelUnavailable("away"), TimedOut("late")])
async def test_a_check_tells_what_is_wrong_and_forgets(error) -> None:
    line, served = model((1, RIGHT))
    await line.check()
    served.state = error
    with pytest.raises(type(error), match=str(error)):
        await line.check()
    assert line.versions == ()


async def test_a_proof_is_renewed_and_can_be_lost(monkeypatch) -> None:
    monkeypatch.setattr(proven, "_RENEW_AFTER_S", -1.0)
    line, served = model((1, RIGHT))
    await line.check()
    served.replicas = [(1, WRONG)]
    with pytest.raises(ModelUnavailable):
        await line.check()
    with pytest.raises(ModelUnavailable):
        await line.predict(INPUTS)


async def test_a_version_that_no_longer_answers_is_forgotten(monkeypatch) -> None:
    line, served = model((1, RIGHT))
    await line.check()
    monkeypatch.setattr(proven, "_FORGET_AFTER_S", -1.0)
    served.replicas = [(2, RIGHT)]
    await line.check()
    assert line.versions == (2,)
