"""Handles Ctrl-C while a command works: ends the calls that the command waits for, and raises nothing.

A KeyboardInterrupt is raised at any point of the main thread. Inside gRPC's own Python code it can
leave a lock taken for ever (https://github.com/grpc/grpc/issues/19973 is of this kind), and then the command
never ends and never finishes its film. While a command waits for a file or a camera, and for no call, it must be
raised: closing the client does not end that wait.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from facewire import Client

__all__ = ["closed_by_ctrl_c", "raised_by_ctrl_c"]


@contextmanager
def closed_by_ctrl_c(client: Client, interrupted: threading.Event) -> Iterator[None]:
    """On the first Ctrl-C sets the event and closes the client: its streams end, its calls fail.

    A second Ctrl-C raises KeyboardInterrupt, if something has not ended by then.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # the parent process has turned Ctrl-C off
        return
    # Not the event itself: the handler may have interrupted a holder of its lock.
    presses: SimpleQueue[bool] = SimpleQueue()

    def note(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        presses.put(True)

    def close() -> None:
        if presses.get():
            interrupted.set()
            client.close()

    closing = threading.Thread(target=close, daemon=True, name="facewire-interrupt")
    closing.start()
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        presses.put(False)
        closing.join()


@contextmanager
def raised_by_ctrl_c() -> Iterator[None]:
    """Lets the first Ctrl-C also raise KeyboardInterrupt: around work in the main thread that makes no call."""
    noting = signal.getsignal(signal.SIGINT)
    if not callable(noting) or noting is signal.default_int_handler:
        yield  # it is turned off, or raises anyway
        return

    def note_and_raise(number: int, frame: FrameType | None) -> None:
        noting(number, frame)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note_and_raise)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is note_and_raise:
            signal.signal(signal.SIGINT, noting)
