"""An opened model counts its calls by outcome, whichever engine it has."""

import asyncio
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof.opened import EMBEDDED, OpenedModel
from facewire_server.proof.proven import ProvenModel
from facewire_server.work.deadline import time_limit
from fakes.models import FakeServed

RIGHT = np.ones((1, 2), np.float32)
INPUTS = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}


class Engine:
    """A model that does what the test says: raises an error, or waits for a gate."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.entered.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return {"embeddings": RIGHT}


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def opened(engine: Engine) -> OpenedModel:
    return OpenedModel("embedding", engine, embedded_version=3)


def outcomes(opened: OpenedModel) -> tuple[int, int, int, int, int]:
    now = opened.statistics()
    return now.ok, now.unavailable, now.timed_out, now.cancelled, now.in_flight


async def test_an_embedded_model_is_healthy_and_says_which_version_it_is(opened) -> None:
    await opened.refresh()
    now = opened.statistics()
    assert (now.name, now.runs_at, now.replica_count) == ("embedding", EMBEDDED, 1)
    assert (now.proven_versions, now.healthy, now.refusal) == ((3,), True, "")


async def test_calls_are_counted_by_outcome(opened, engine) -> None:
    assert (await opened.predict(INPUTS))["embeddings"] is RIGHT
    for error in (ModelUnavailable("away"), KeyError("a bug"), TimedOut("late")):
        engine.error = error
        with pytest.raises(type(error)):
            await opened.predict(INPUTS)
    assert outcomes(opened) == (1, 2, 1, 0, 0)
    assert opened.statistics().calls == 4


@pytest.mark.parametrize(
    ("inputs", "faces"),
    [
        ({"faces": np.zeros((3, 112, 112, 3), np.uint8)}, 3),
        ({"image": np.zeros((9, 9, 3), np.uint8), "boxes": np.zeros((2, 4), np.float32)}, 2),
        ({"image": np.zeros((9, 9, 3), np.uint8), "min_face_px": np.float32(20)}, 0),
    ],
)
async def test_the_faces_of_calls_are_counted(opened, inputs, faces) -> None:
    for _ in range(2):
        await opened.predict(inputs)
    assert opened.statistics().faces == 2 * faces


async def test_a_call_is_in_flight_until_it_ends_and_its_time_counts_then(opened, engine) -> None:
    engine.gate.clear()
    call = asyncio.create_task(opened.predict(INPUTS))
    await engine.entered.wait()
    assert outcomes(opened) == (0, 0, 0, 0, 1)
    assert opened.statistics().total_s == 0
    engine.gate.set()
    await call
    assert outcomes(opened) == (1, 0, 0, 0, 0)
    assert opened.statistics().total_s > 0


async def test_a_call_that_the_pictures_deadline_cancels_has_timed_out(opened, engine) -> None:
    engine.gate.clear()
    with pytest.raises(TimedOut):
        async with time_limit(0.01):
            await opened.predict(INPUTS)
    assert outcomes(opened) == (0, 0, 1, 0, 0)


async def test_a_call_whose_caller_goes_away_is_cancelled(opened, engine) -> None:
    engine.gate.clear()
    call = asyncio.create_task(opened.predict(INPUTS))
    await engine.entered.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert outcomes(opened) == (0, 0, 0, 1, 0)


async def prove(model) -> None:
    if not (await model.predict(INPUTS))["embeddings"].all():
        raise ModelUnavailable("another model")


async def test_a_served_model_says_where_it_runs_and_what_the_last_check_found() -> None:
    served = FakeServed((1, RIGHT), (1, 0 * RIGHT))
    opened = OpenedModel("embedding", ProvenModel(served, prove), address="a:1")
    assert not opened.statistics().healthy, "not checked yet"
    await opened.refresh()
    now = opened.statistics()
    assert (now.runs_at, now.replica_count, now.left_out_count) == ("a:1", 2, 1)
    assert (now.proven_versions, now.healthy) == ((1,), True)
    assert now.refusal == "1 of 2 replicas left out: 10.0.0.2:1: another model"
    await opened.predict(INPUTS)
    right, _ = served.members
    right.result = (2, 0 * RIGHT)
    with pytest.raises(ModelUnavailable):
        await opened.predict(INPUTS)
    now = opened.statistics()
    assert (now.ok, now.unavailable, now.retried) == (1, 1, 1), "canaries are not counted"
    right.state = ModelUnavailable("away")
    await opened.refresh()
    now = opened.statistics()
    assert not now.healthy
    assert "10.0.0.1:1: away" in now.refusal


async def test_statistics_are_frozen(opened) -> None:
    with pytest.raises(AttributeError):
        opened.statistics().ok = 1
