"""Emits failures that no caller waits for: of tasks and callbacks of the event loop, and of threads."""

import asyncio
import sys
import threading
from contextlib import suppress
from typing import Any

from facewire_server.events import Emit, InternalError
from facewire_server.stacks import stack_without_messages

__all__ = ["emit_failures"]


def emit_failures(emit: Emit) -> None:
    """Emits `InternalError` for every failure in this process that no caller sees, from now on.

    Python itself would write the error's message and the arguments of a callback, which may be a
    name. Call it in the running event loop.
    """
    loop = asyncio.get_running_loop()

    def emit_from_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        what = stack_without_messages(error) if error is not None else context["message"]
        emit(InternalError("", what))

    def emit_from_anywhere(arguments: Any) -> None:
        error = arguments.exc_value
        what = arguments.exc_type.__name__ if error is None else stack_without_messages(error)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(emit, InternalError("", what))

    loop.set_exception_handler(emit_from_loop)
    threading.excepthook = sys.unraisablehook = emit_from_anywhere
