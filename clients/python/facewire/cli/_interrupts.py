"""Handles Ctrl-C while a command works: ends the calls that the command waits for, and raises nothing.

A KeyboardInterrupt is raised at any point of the main thread. Inside gRPC's own Python code it can
leave a lock taken for ever (https://github.com/grpc/grpc/issues/19973 is of this kind), and then the command
never ends and never finishes its film.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from facewire import Client

__all__ = ["closed_by_ctrl_c"]


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
