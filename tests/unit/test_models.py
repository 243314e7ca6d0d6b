"""Served models are watched: health follows them, each change is an event once, nothing ends the watch."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from facewire_server import models as room
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.configuration.settings import Settings
from facewire_server.errors import ModelUnavailable
from facewire_server.events import ModelStateChanged
from facewire_server.models import DLIB, FRAME_EMBEDDER, Models, open_models
from facewire_server.pipeline.embed import EXACT
from facewire_server.proof import canary, detector_proof
from facewire_server.proof.model_contract import Bfloat16, ModelContract
from facewire_server.proof.opened import EMBEDDED, MISSING, OpenedModel
from facewire_server.proof.proven import ProvenModel
from facewire_server.proof.servables import DETECTOR, EMBEDDER, FOLLOWER
from facewire_server.types import DetectionOptions
from fakes.models import FakeServed, write_mtcnn_of_0_1

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
        self.line: Models | None = None
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

    def watch(
        detector: Check, embedder: Check, follower: Check = healthy
    ) -> tuple[asyncio.Task[None], States]:
        checks = {DETECTOR: detector, EMBEDDER: embedder, FOLLOWER: follower}
        opened = [
            OpenedModel(
                name,
                ProvenModel(Checked(name, check), prove),
                address="a:1",
                is_required=name != FOLLOWER,
            )
            for name, check in checks.items()
        ]
        states = States()
        line = states.line = Models(opened, dimension=2)
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


async def test_the_server_is_ready_without_what_follows_faces_and_follows_when_it_is_there(
    watching,
) -> None:
    missing = [ModelUnavailable("found signatures ['serving_default']")]
    checked = asyncio.Event()

    async def missing_at_first() -> None:
        checked.set()
        if missing:
            raise missing[0]

    watch, states = watching(healthy, healthy, missing_at_first)
    assert await states.next() is True
    await checked.wait()
    assert states.line.follower is None
    missing.clear()
    while states.line.follower is None:
        await asyncio.sleep(0)
    assert states.all == [True]
    assert [(one.is_ready, one.reason) for one in states.events if one.model == FOLLOWER] == [
        (False, "found signatures ['serving_default']"),
        (True, ""),
    ]
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

    watch, states = watching(hanging, away, hanging)
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
        detector, following, embedder = line.statistics()
        assert (detector.name, detector.runs_at) == (DETECTOR, EMBEDDED)
        assert (following.name, following.runs_at) == (FOLLOWER, EMBEDDED)
        assert detector.healthy
        assert following.healthy
        assert line.follower is not None
        await line.follower.follow(detector_proof.draw(), detector_proof.GOLDEN_BOX[None])
        assert (line.statistics()[1].ok, line.statistics()[1].faces) == (1, 1)
        assert (embedder.name, embedder.runs_at) == (EMBEDDER, "127.0.0.1:1")
        assert not embedder.healthy
        assert [one.name for one in line.served] == [EMBEDDER]
        with pytest.raises(ModelUnavailable):
            await line.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8))
        assert line.statistics()[2].unavailable == 1
    with pytest.raises(RuntimeError, match="shutdown"):
        await line.detector.detect(np.zeros((32, 32, 3), np.uint8), DETECTION)
    with pytest.raises(grpc.aio.UsageError, match="closed"):
        await line.embedder.embed(np.zeros((1, 112, 112, 3), np.uint8))


async def test_a_detector_of_this_process_without_its_second_signature_searches_every_frame(
    models: Path, contract: ModelContract, tmp_path: Path
) -> None:
    write_mtcnn_of_0_1(models, tmp_path)
    away = {"embedder_address": "127.0.0.1:1"}
    async with open_models(contract, folder=tmp_path, threads=1, addresses=away) as line:
        assert line.follower is None
        _, following, _ = line.statistics()
        assert (following.name, following.runs_at, following.healthy) == (FOLLOWER, MISSING, False)
        assert (following.proven_versions, following.replica_count) == ((), 0)
        assert following.refusal.endswith("mtcnn has no such signature")
        await line.detector.detect(np.zeros((32, 32, 3), np.uint8), DETECTION)


async def test_frames_have_a_model_of_their_own_only_in_bfloat16(
    models: Path, contract: ModelContract
) -> None:
    crop = canary.crops()[:1]
    away = {"detector_address": "127.0.0.1:1"}
    async with open_models(
        contract, folder=models, threads=2, addresses=away, embed_frames="bfloat16"
    ) as line:
        _, _, exact, frames = line.statistics()
        assert (exact.name, frames.name) == (EMBEDDER, FRAME_EMBEDDER)
        assert (frames.runs_at, frames.proven_versions, frames.healthy) == (EMBEDDED, (1,), True)
        assert contract.bfloat16 is not None
        assert line.embedder.frame_error == contract.bfloat16.frame_error
        await line.embedder.embed(crop, exact=False)
        await line.embedder.embed(crop)
        assert [one.ok for one in line.statistics()[2:]] == [1, 1]
    async with open_models(
        contract, folder=models, threads=2, addresses=away, embed_frames="float32"
    ) as line:
        assert [one.name for one in line.statistics()] == [DETECTOR, FOLLOWER, EMBEDDER]
        assert line.embedder.frame_error == EXACT


@pytest.mark.parametrize("is_faster", [True, False])
async def test_by_default_frames_are_in_bfloat16_where_that_is_faster(
    models: Path, contract: ModelContract, monkeypatch: pytest.MonkeyPatch, is_faster: bool
) -> None:
    monkeypatch.setattr(OpenVinoModel, "is_faster_than", lambda *_: is_faster)
    async with open_models(
        contract,
        folder=models,
        threads=1,
        addresses={"detector_address": "127.0.0.1:1"},
        embed_frames=Settings().embed_frames,
    ) as line:
        assert (FRAME_EMBEDDER in [one.name for one in line.statistics()]) is is_faster


async def test_a_model_in_bfloat16_beyond_its_bound_is_not_opened(
    models: Path, contract: ModelContract
) -> None:
    strict = replace(contract, bfloat16=Bfloat16(1.0, EXACT))
    with pytest.raises(ModelUnavailable, match=r"at least 1\.0 is required"):
        async with open_models(
            strict,
            folder=models,
            threads=2,
            addresses={"detector_address": "127.0.0.1:1"},
            embed_frames="bfloat16",
        ):
            pass


async def test_a_model_contract_that_says_nothing_of_bfloat16_has_float32_only(
    models: Path, contract: ModelContract
) -> None:
    silent = replace(contract, bfloat16=None)
    async with open_models(
        silent,
        folder=models,
        threads=2,
        addresses={"detector_address": "127.0.0.1:1"},
        embed_frames="bfloat16",
    ) as line:
        assert line.embedder.frame_error == EXACT


async def test_dlib_does_not_run_in_a_model_server(models: Path, contract: ModelContract) -> None:
    with pytest.raises(ModelUnavailable, match="detector_address names a model server"):
        async with open_models(
            contract,
            folder=models,
            threads=1,
            addresses={"detector_address": "127.0.0.1:1"},
            detector=DLIB,
        ):
            pass


async def test_dlib_finds_twice_as_large_faces_and_says_so(
    models: Path, contract: ModelContract
) -> None:
    pytest.importorskip("dlib", reason="needs dlib-bin, the extra `dlib` of the server")
    async with open_models(contract, folder=models, threads=1, detector=DLIB) as line:
        assert line.detector.coarser_by == 2
        assert [one.name for one in line.statistics()][:3] == [DETECTOR, FOLLOWER, EMBEDDER]
    async with open_models(contract, folder=models, threads=1) as line:
        assert line.detector.coarser_by == 1


async def test_dlib_that_is_not_installed_is_asked_for(
    models: Path, contract: ModelContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(ModelUnavailable, match=r"facewire-server\[dlib\]"):
        async with open_models(contract, folder=models, threads=1, detector=DLIB):
            pass


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
