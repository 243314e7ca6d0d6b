"""Two servers on one data folder, one of them with workers, and the ways in which they are killed."""

import random
import time
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import Any, Final

import psutil

from harness.promises import NOT_ENDED, NOT_STARTED, Promises
from harness.running import RunningServer, ServerFailed, running_server

__all__ = ["SERVERS", "Kill", "ServerPair"]

SERVERS: Final = 2
"""Servers that share the folder. Chosen, not measured."""

WORKERS: Final = 2
"""Of the first server; the second one is a single process."""

_ERASE_WITHIN_S: Final = 0
"""Deletions are erased at the servers' next look, so that every second of load with a deletion has a switch."""

_END_S: Final = 60.0
"""Seconds within which a worker without its parent ends. Chosen, not measured: a busy machine must not be what takes long."""

_LOOK_S: Final = 0.02
"""Seconds between two looks whether processes have ended."""

_NOWHERE: Final = "127.0.0.1:1"
"""Address of model servers that are not there: a server that loads no model starts in a third of the processor time."""


class Kill(Enum):
    """What is killed at once."""

    WORKER = "a worker"
    PARENT = "the parent of workers"
    WITH_WORKERS = "a server with its workers"
    SINGLE = "a server of one process"
    ALL = "all servers"


_WEIGHTS: Final = {
    Kill.WORKER: 4,
    Kill.PARENT: 2,
    Kill.WITH_WORKERS: 1,
    Kill.SINGLE: 3,
    Kill.ALL: 1,
}
"""How often each is drawn. Chosen, not measured: what costs the start of one process more often than what costs three."""


class ServerPair:
    """The servers. Those that were killed are started again by `start`."""

    def __init__(self, data: Path, promises: Promises, module: str) -> None:
        """Starts nothing yet; `module` is what `python -m` runs as a server."""
        self._data = data
        self._promises = promises
        self._module = module
        self._stacks = [ExitStack() for _ in range(SERVERS)]
        self._running: list[RunningServer | None] = [None] * SERVERS
        self._orphans: list[psutil.Process] = []
        self._has_models = False

    @property
    def running(self) -> list[RunningServer]:
        """All servers; they must have been started."""
        return [server for server in self._running if server is not None]

    def start(self, *, has_models: bool = False) -> None:
        """Starts what does not run, the first one with or without its models, when workers without a parent have ended.

        Raises:
            ServerFailed: one does not start; it is counted.
        """
        self._wait_for_orphans()
        if has_models != self._has_models:
            self._end(0, with_workers=True)
        self._has_models = has_models
        for slot in range(SERVERS):
            if self._running[slot] is not None:
                continue
            settings: dict[str, Any] = {"data": self._data, "erase_within_s": _ERASE_WITHIN_S}
            if not (has_models and slot == 0):
                settings |= {"detector_address": _NOWHERE, "embedder_address": _NOWHERE}
                settings["workers"] = WORKERS if slot == 0 else 1
            try:
                self._running[slot] = self._stacks[slot].enter_context(
                    running_server(module=self._module, **settings)
                )
            except ServerFailed as error:
                self._promises.broken(NOT_STARTED, 1, str(error))
                raise

    def kill(self, chance: random.Random) -> None:
        """Kills a worker or servers (SIGKILL), drawn at random, and counts it."""
        (drawn,) = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        if drawn is Kill.WORKER:
            workers = self._workers(self.running[0])
            if len(workers) == WORKERS:
                chance.choice(workers).kill()
            else:  # it has none, or the place of one that was killed is still empty: clients need a worker
                drawn = Kill.WITH_WORKERS
        if drawn in (Kill.PARENT, Kill.WITH_WORKERS, Kill.ALL):
            self._end(0, with_workers=drawn is not Kill.PARENT)
        if drawn in (Kill.SINGLE, Kill.ALL):
            self._end(1, with_workers=False)
        self._promises.counts[f"killed: {drawn.value}"] += 1

    def close(self) -> None:
        """Kills everything, and waits for the processes that may be left."""
        for slot in range(SERVERS):
            self._end(slot, with_workers=True)
        self._wait_for_orphans()

    def _wait_for_orphans(self) -> None:
        """Waits for what ends by itself when its parent was killed: it may commit what its client was not informed of."""
        ends_at_s = time.monotonic() + _END_S
        while (
            left := [one for one in self._orphans if _runs(one)]
        ) and time.monotonic() < ends_at_s:
            time.sleep(_LOOK_S)  # of another's child there is no event
        for one in left:
            one.kill()
        self._promises.broken(NOT_ENDED, len(left), f"{len(left)} processes")
        self._orphans = []

    def _workers(self, server: RunningServer) -> list[psutil.Process]:
        """Returns the workers of a server that take calls."""
        serving = server.logged_pids("worker_serves")
        return [one for one in psutil.Process(server.pid).children() if one.pid in serving]

    def _end(self, slot: int, *, with_workers: bool) -> None:
        server, self._running[slot] = self._running[slot], None
        if server is not None:
            # With the processes that copy the storage.
            below = psutil.Process(server.pid).children(recursive=True)
            workers = self._workers(server) if with_workers else []
            server.kill()
            for worker in workers:
                worker.kill()
            self._orphans += below
        self._stacks[slot].close()


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
