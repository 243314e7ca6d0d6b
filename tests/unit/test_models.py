"""The server is told how its served models are, whatever they do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from facewire_server import models
from facewire_server.errors import ModelUnavailable
from facewire_server.models import Models
from facewire_server.proof.model_contract import ModelContract


class Checked:
    """A served model of which only the check is asked."""

    versions = (1,)
    refusal = ""

    def __init__(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.check = check


class Told:
    """Keeps what was said of the models' health."""

    def __init__(self) -> None:
        self.states: list[bool] = []
        self._news = asyncio.Event()

    def __call__(self, ready: bool) -> None:
        self.states.append(ready)
        self._news.set()

    async def next(self) -> bool:
        await self._news.wait()
        self._news.clear()
        return self.states[-1]


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch):
    """Watches models of these checks."""
    monkeypatch.setattr(models, "_ROUND_S", 0.01)
    contract = ModelContract("c", 2, np.zeros((4, 2), np.float32))

    def watch(*checks: Callable[[], Awaitable[None]]) -> tuple[asyncio.Task[None], Told]:
        served = [Checked(f"model {number}", check) for number, check in enumerate(checks)]
        told = Told()
        line = Models(None, None, contract, served)  # type: ignore[arg-type]
        return asyncio.create_task(line.watch(told)), told

    return watch


async def well() -> None:
    pass


async def hanging() -> None:
    await asyncio.Event().wait()


async def test_all_models_must_be_well(watching) -> None:
    failures = [ModelUnavailable("away")]

    async def away_at_first() -> None:
        if failures:
            raise failures.pop()

    watch, told = watching(well, away_at_first)
    assert await told.next() is True
    failures.append(ModelUnavailable("away"))
    assert await told.next() is False
    assert await told.next() is True
    watch.cancel()


async def test_a_bug_in_a_check_is_logged_without_its_text_and_ends_nothing(
    watching, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Exception] = []

    async def failing() -> None:
        if failures:
            raise failures.pop()

    watch, told = watching(failing)
    assert await told.next() is True
    with caplog.at_level(logging.WARNING):
        failures.append(KeyError("Ada Example"))
        assert await told.next() is False
    assert "the model 'model 0' cannot be checked: KeyError" in caplog.text
    assert "Ada" not in caplog.text
    assert await told.next() is True
    watch.cancel()


async def test_a_model_that_hangs_does_not_delay_what_is_said_of_another(
    watching, caplog: pytest.LogCaptureFixture
) -> None:
    checked = asyncio.Event()

    async def away() -> None:
        checked.set()
        raise ModelUnavailable("the other one is away")

    watch, told = watching(hanging, away)
    await checked.wait()
    await asyncio.sleep(0)
    assert "the other one is away" in caplog.text
    assert told.states == []
    watch.cancel()
