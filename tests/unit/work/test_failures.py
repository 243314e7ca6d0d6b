"""What fails unseen is an event, and its message stays inside."""

import asyncio
import gc
import sys
import threading
from collections.abc import Callable

import pytest

from facewire_server.events import Event, InternalError
from facewire_server.work.failures import emit_failures

NAME = "".join(["al", "ice"])  # not in the source lines that a stack quotes


def fail(*_: object) -> None:
    raise KeyError(NAME)


async def fail_later() -> None:
    fail()


class Unraisable:
    def __del__(self) -> None:
        fail()


def drop() -> None:
    Unraisable()
    gc.collect()


@pytest.mark.parametrize(
    "cause",
    [
        lambda: asyncio.get_running_loop().call_soon(fail, NAME),
        lambda: asyncio.get_running_loop().create_task(fail_later(), name=NAME),
        lambda: threading.Thread(target=fail, name=NAME).start(),
        drop,
    ],
    ids=["callback", "task", "thread", "finalizer"],
)
async def test_a_failure_is_an_event_without_its_message(
    cause: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that they are what they were after the test.
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    events: asyncio.Queue[Event] = asyncio.Queue()
    emit_failures(events.put_nowait)
    cause()
    while events.empty():
        await asyncio.sleep(0)
        gc.collect()  # a task that failed is noticed when it goes
    event = events.get_nowait()
    assert isinstance(event, InternalError)
    assert "KeyError" in event.stack
    assert "in fail\n" in event.stack
    assert NAME not in repr(event)
