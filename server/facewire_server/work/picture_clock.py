"""The clock of one picture, whose end is an event."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from facewire_server.errors import TimedOut
from facewire_server.events import Emit, PictureFinished
from facewire_server.work.clock import Clock
from facewire_server.work.deadline import remaining_s

__all__ = ["picture_clock"]


@contextmanager
def picture_clock(
    threads: Executor, emit: Emit, purpose: str, byte_count: int, waited_s: float
) -> Iterator[Clock]:
    """Starts the clock of a picture; the block is the work on it.

    Args:
        threads: where its steps run.
        emit: takes a `PictureFinished` at the end of the block.
        purpose, byte_count, waited_s: of the event.
    """
    clock = Clock(threads)
    error: type[BaseException] | None = None
    try:
        yield clock
    except BaseException as failure:
        # A deadline cancels what runs under it, so it arrives here in this form.
        is_late = isinstance(failure, asyncio.CancelledError) and remaining_s() == 0
        error = TimedOut if is_late else type(failure)
        raise
    finally:
        emit(
            PictureFinished(
                purpose,
                byte_count,
                clock.started_s,
                time.perf_counter(),
                waited_s,
                tuple(clock.stages),
                error,
            )
        )
