"""A worker as its parent sees it: a process, what it says, and how it ends."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Final

from facewire_server.workers.orders import METRICS, SERVES

__all__ = ["WorkerProcess", "environment_of"]

_LAST_WORDS_S: Final = 1.0
"""Seconds to read what a worker said before it ended. Chosen, not measured: it is there already."""

_MOST_BYTES: Final = 16 << 20
"""Bytes of a line from a worker. Chosen, not measured."""


class WorkerProcess:
    """A running worker.

    Attributes:
        pid: its process id.
        started_s: when it was started, `time.monotonic`.
        serves: set when it takes calls.
        ended: its exit status; of a signal, its negative number.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Takes a process that was started, and the parent's end of its socket."""
        self.pid = process.pid
        self.started_s = time.monotonic()
        self.serves = asyncio.Event()
        self._metrics = ""
        self._metrics_came = asyncio.Event()
        self._process = process
        self._reader = reader
        self._writer = writer
        self._listening = asyncio.create_task(self._listen())
        self.ended: asyncio.Task[int] = asyncio.create_task(self._wait())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        stderr: int,
        files: Sequence[int] = (),
    ) -> "WorkerProcess":
        """Starts a worker.

        Args:
            command: whose last argument is to be the file descriptor of the worker's socket.
            environment: of the process; all settings are in it.
            stderr: file descriptor of its standard error.
            files: further file descriptors that it keeps.

        Raises:
            OSError: the system has no process for it.
        """
        ours, its = socket.socketpair()
        with its:
            process = await asyncio.create_subprocess_exec(
                *(*command, str(its.fileno())),
                env=dict(environment),
                pass_fds=(its.fileno(), *files),
                stdin=asyncio.subprocess.DEVNULL,
                stderr=stderr,
                # What a terminal sends to its group reaches the parent only, which passes it on.
                start_new_session=True,
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=_MOST_BYTES)
        return cls(process, reader, writer)

    def order(self, order: str) -> None:
        """Sends an order, one of `orders`; does nothing if the worker has ended."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(order).encode() + b"\n")

    async def metrics(self, within_s: float) -> str:
        """Returns the text of the worker's metrics; those of the last time if it does not send them in time, "" if it never did."""
        self._metrics_came.clear()
        self.order(METRICS)
        came = asyncio.create_task(self._metrics_came.wait())
        try:
            await asyncio.wait(
                (came, self.ended), timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            came.cancel()
        return self._metrics

    @property
    def last_metrics(self) -> str:
        """The text of the worker's metrics that came last; "" if none did."""
        return self._metrics

    def kill(self) -> None:
        """Ends the worker at once (SIGKILL)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def served_or_ended(self) -> bool:
        """Waits until the worker takes calls, or has ended; returns whether it takes calls."""
        serves = asyncio.create_task(self.serves.wait())
        try:
            await asyncio.wait((serves, self.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            serves.cancel()
        return not self.ended.done()

    async def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while line := await self._reader.readline():
                said, _, text = json.loads(line).partition(" ")
                if said == SERVES:
                    self.serves.set()
                elif said == METRICS:
                    self._metrics = text
                    self._metrics_came.set()

    async def _wait(self) -> int:
        status = await self._process.wait()
        # Its last metrics; its end of the socket has closed with it.
        await asyncio.wait((self._listening,), timeout=_LAST_WORDS_S)
        self._listening.cancel()
        self._writer.close()
        return status


def environment_of(
    inherited: Mapping[str, str], prefix: str, settings: Mapping[str, str]
) -> dict[str, str]:
    """Returns the environment of a worker: the inherited one, with these settings in place of all others."""
    kept = {name: text for name, text in inherited.items() if not name.startswith(prefix)}
    return {**kept, **settings}
