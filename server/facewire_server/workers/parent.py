"""The parent as a worker sees it: it takes the parent's orders, and ends if the parent has died."""

import asyncio
import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from facewire_server.host.ending import EXIT_FORCED
from facewire_server.host.signals import Signals
from facewire_server.workers.hanging import BEAT_EVERY_S
from facewire_server.workers.orders import METRICS, RELOAD, SERVES, STOP, STOP_AT_ONCE
from facewire_server.workers.table import Slot

__all__ = ["Parent"]

_CLOSE_S: Final = 10.0
"""Seconds beyond `drain_s` after which a worker whose parent has died ends, whatever its threads do: as for a server that was
asked to stop. Chosen, not measured."""


class Parent:
    """The socket to the parent, read in a thread of its own: an event loop that hangs must not keep an orphan alive.

    Attributes:
        loads: the streams of all workers.
        health: what all workers serve.
    """

    def __init__(self, control: int, loads: Slot, *, end_within_s: float) -> None:
        """Takes over a worker's place.

        Args:
            control: the socket's file descriptor.
            loads: of this worker and the others.
            end_within_s: seconds that calls have to end if the parent dies.
        """
        self.loads = loads
        self.health = loads
        self._socket = socket.socket(fileno=control)
        self._end_within_s = end_within_s + _CLOSE_S
        self._signals: Signals | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._metrics: Callable[[], str] | None = None
        self._early: list[str] = []
        self._obeys = threading.Lock()
        threading.Thread(target=self._listen, name="parent", daemon=True).start()

    def obey(self, signals: Signals, metrics: Callable[[], str]) -> None:
        """Follows the parent's orders from now on; to be called in the event loop.

        Args:
            signals: are set by orders.
            metrics: returns the text of this process's metrics, in another thread; raises TimeoutError.
        """
        with self._obeys:
            self._signals, self._loop = signals, asyncio.get_running_loop()
            self._metrics = metrics
            for order in self._early:
                self._follow(order)
        self._beat(self._loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loads.beat()
        loop.call_later(BEAT_EVERY_S, self._beat, loop)

    def serves(self) -> None:
        """Says that this worker takes calls."""
        self.loads.set_takes_calls(True)
        self._say(SERVES)

    def leaves(self) -> None:
        """Sends the last metrics: the parent goes on counting with them."""
        self._send_metrics()

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the parent has died, which the thread finds
            self._socket.sendall(json.dumps(text).encode() + b"\n")

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._socket.makefile("rb") as orders:
            for line in orders:
                order = json.loads(line)
                if order == METRICS:
                    self._send_metrics()
                    continue
                with self._obeys:
                    self._follow(order)
        self._end()

    def _send_metrics(self) -> None:
        if self._metrics is not None:
            # A loop that stands still: the parent goes by what it has, and does not wait for longer either.
            with contextlib.suppress(TimeoutError):
                self._say(f"{METRICS} {self._metrics()}")

    def _follow(self, order: str) -> None:
        if self._signals is None or self._loop is None:
            self._early.append(order)
            return
        signals = self._signals
        if order in (STOP, STOP_AT_ONCE):
            self.loads.set_takes_calls(
                False
            )  # from here on no other refuses a stream for this one's sake
        set_by_order = {
            STOP: signals.stop.set,
            STOP_AT_ONCE: signals.stop_at_once,
            RELOAD: signals.reload.set,
        }
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(set_by_order[order])

    def _end(self) -> None:
        """Ends this worker: its parent has died."""
        with self._obeys:
            if self._signals is None:
                os._exit(EXIT_FORCED)  # it has not begun
            self._follow(STOP_AT_ONCE)
        time.sleep(self._end_within_s)  # the process ends before, as a rule
        os._exit(EXIT_FORCED)
