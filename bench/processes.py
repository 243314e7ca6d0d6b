"""Processor time and memory of a server and of all its child processes, sampled while it runs."""

import threading
from contextlib import suppress
from time import monotonic, process_time
from types import TracebackType
from typing import Final, NamedTuple, Self

import psutil

__all__ = ["Sample", "Sampler", "Worker"]

_EVERY_S: Final = 1.0


class Worker(NamedTuple):
    """One process that has connections of clients.

    Attributes:
        connections: open ones.
        processor_s: processor time since the process began, seconds.
    """

    connections: int
    processor_s: float


class Sample(NamedTuple):
    """One moment.

    Attributes:
        at_s: by `time.monotonic`.
        server_s: processor time of the server's processes so far, seconds.
        clients_s: of this process.
        pss: proportional memory of the server's processes together, bytes.
    """

    at_s: float
    server_s: float
    clients_s: float
    pss: int


class Sampler:
    """A thread that takes a sample a second for the block."""

    def __init__(self, pid: int) -> None:
        """Takes the server's process id."""
        self.samples: list[Sample] = []
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def sample(self) -> Sample:
        """Takes a sample now."""
        server_s, pss = 0.0, 0
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                server_s += _processor_s(process)
                pss += process.memory_full_info().pss
        return Sample(monotonic(), server_s, process_time(), pss)

    def workers(self) -> dict[int, Worker]:
        """Returns the processes that have connections over TCP, by id."""
        found = {}
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                connections = process.net_connections("tcp")
                count = sum(one.status == psutil.CONN_ESTABLISHED for one in connections)
                if count:
                    found[process.pid] = Worker(count, _processor_s(process))
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_EVERY_S):
            self.samples.append(self.sample())

    def _processes(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
