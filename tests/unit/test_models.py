"""Served models are watched: health follows them, each change is an event once, nothing ends the watch."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from facewire_server import models as room
from facewire_server.errors import ModelUnavailable
from facewire_server.events import ModelStateChanged
from facewire_server.models import Models, open_models
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.opened import EMBEDDED, OpenedModel
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.servables import DETECTOR, EMBEDDER
from facewire_server.types import DetectionOptions
from fakes.models import FakeServed

DETECTION = DetectionOptions(min_score=0.9, max_faces=1, short_side_fraction=1 / 16)

Check = Callable[[], Coroutine[Any, Any, None]]


class Checked(FakeServed):
    """A served model of one replica, of which only the check is called."""

    def __init__(self, name: str, check: Check) -> None:
        super().__init__((1, np.ones(1, np.float32)))
        self.name = name
        self.members[0].check = check  # type: ignore[method-assign]


class States:
    """Keeps the states that `watch` reports, and its events."""

    def __init__(self) -> None:
        self.all: list[bool] = []
        self.events: list[Any] = []
        self._news = asyncio.Event()

    def __call__(self, ready: bool) -> None:
        self.all.append(ready)
        self._news.set()

    async def next(self) -> bool:
        await self._news.wait()
        self._news.clear()
        return self.all[-1]


async def healthy() -> None:
    pass


async def hanging() -> None:
    await asyncio.Event().wait()


async def prove(model) -> None:
    await model.predict({})


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch):
    """Watches a detector and an embedding model of these checks."""
    monkeypatch.setattr(room, "_CHECK_EVERY_S", 0.01)

    def watch(detector: Check, embedder: Check) -> tuple[asyncio.Task[None], States]:
        opened = [
            OpenedModel(name, ProvenModel(Checked(name, check), prove), address="a:1")
            for name, check in ((DETECTOR, detector), (EMBEDDER, embedder))
        ]
        states = States()
        line = Models(opened, dimension=2)
        return asyncio.create_task(line.watch(states, states.events.append)), states

    return watch


async def test_all_models_must_be_healthy(watching) -> None:
    failures = [ModelUnavailable("away")]

    async def away_at_first() -> None:
        if failures:
            raise failures.pop()

    watch, states = watching(healthy, away_at_first)
    assert await states.next() is True
    failures.append(ModelUnavailable("away"))
    assert await states.next() is False
    assert await states.next() is True
    watch.cancel()


async def test_a_state_is_an_event_once(watching) -> None:
    checks = 0
    enough = asyncio.Event()

    async def counting() -> None:
        nonlocal checks
        checks += 1
        if checks == 5:
            enough.set()

    watch, states = watching(counting, healthy)
    await enough.wait()
    assert states.events.count(ModelStateChanged(DETECTOR, True, (1,), "")) == 1
    watch.cancel()


async def test_a_bug_in_a_check_is_an_event_without_its_text_and_ends_nothing(watching) -> None:
    failures: list[Exception] = []

    async def failing() -> None:
        if failures:
            raise failures.pop()

    watch, states = watching(healthy, failing)
    assert await states.next() is True
    failures.append(KeyError("Ada Example"))
    assert await states.next() is False
    assert await states.next() is True
    watch.cancel()
    reason = "it cannot be checked: KeyError"
    assert [event for event in states.events if event.model == EMBEDDER] == [
        ModelStateChanged(EMBEDDER, True, (1,), ""),
        ModelStateChanged(EMBEDDER, False, (), reason),
        ModelStateChanged(EMBEDDER, True, (1,), ""),
    ]


async def test_a_model_that_hangs_does_not_delay_the_report_of_another(watching) -> None:
    checked = asyncio.Event()

    async def away() -> None:
        checked.set()
        raise ModelUnavailable("the other one is away")

    watch, states = watching(hanging, away)
    await checked.wait()
    while not states.events:
        await asyncio.sleep(0)
    assert states.events == [ModelStateChanged(EMBEDDER, False, (), "the other one is away")]
    assert states.all == []
    watch.cancel()


async def test_each_row_of_the_table_is_opened_where_its_setting_says(
    models: Path, contract: ModelContract
) -> None:
    async with open_models(
        contract, folder=models, threads=2, addresses={"embedder_address": "127.0.0.1:1"}
    ) as line:
        detector, embedder = line.statistics()
        assert (detector.name, detector.runs_at) == (DETECTOR, EMBEDDED)
        assert detector.healthy
        assert (embedder.name, embedder.runs_at) == (EMBEDDER, "127.0.0.1:1")
        assert not embedder.healthy
        assert [one.name for one in line.served] == [EMBEDDER]
        with pytest.raises(ModelUnavailable):
            await line.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8))
        assert line.statistics()[1].unavailable == 1
    with pytest.raises(RuntimeError, match="shutdown"):
        await line.detector.detect(np.zeros((32, 32, 3), np.uint8), DETECTION)
    with pytest.raises(grpc.aio.UsageError, match="closed"):
        await line.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8))


async def test_a_model_of_this_process_that_is_another_one_is_not_opened(
    models: Path, contract: ModelContract
) -> None:
    other = ModelContract("other", contract.dimension, contract.golden[::-1].copy())
    with pytest.raises(ModelUnavailable, match="not the one of the model contract"):
        async with open_models(
            other, folder=models, threads=2, addresses={"detector_address": "127.0.0.1:1"}
        ):
            pass


@pytest.fixture
def contract(repository: Path) -> ModelContract:
    path = repository / "server/facewire_server/model_contracts/sface.json"
    return ModelContract.from_json(path.read_text(encoding="utf-8"))
