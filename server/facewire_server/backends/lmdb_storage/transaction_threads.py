"""The threads of a storage: reads run concurrently, and wait for no write."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.backends.lmdb_storage.writer import WRITE_WAIT_S, Writer
from facewire_server.work.threads import run_in_thread

__all__ = ["TransactionThreads"]

T = TypeVar("T")


class TransactionThreads:
    """Runs the transactions of an environment in its own threads.

    Writes have a thread of their own, so that those which wait for another process or for the disk take no
    thread from the searches.
    """

    def __init__(
        self, environment: Environment, readers: int, *, write_wait_s: float = WRITE_WAIT_S
    ) -> None:
        """Takes over the environment, which `close` closes.

        Args:
            environment: where the transactions run.
            readers: reads at once; further ones wait, first in, first out.
            write_wait_s: seconds that a write may wait until it begins.
        """
        self._environment = environment
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="storage-read")
        self._writer = Writer(environment, wait_s=write_wait_s)
        # Its thread starts with the first step.
        self._alone = ThreadPoolExecutor(1, thread_name_prefix="storage-switch")

    @property
    def is_write_blocked(self) -> bool:
        """Whether the disk is read-only, or `Writer.is_blocked`."""
        return self._writer.is_blocked or self._environment.is_read_only

    async def read(self, step: Callable[[Transaction], T]) -> T:
        """Runs the step in one read transaction and returns its result."""

        def in_transaction() -> T:
            with self._environment.read() as transaction:
                return step(transaction)

        return await self.call(in_transaction)

    async def write(
        self,
        change: Callable[[Transaction], T],
        *,
        beyond_quota: bool = False,
    ) -> T:
        """See `Writer.write`."""
        return await self._writer.write(change, beyond_quota=beyond_quota)

    async def call(self, step: Callable[[], T]) -> T:
        """Runs a step in one of the reading threads; the step may open its own transaction."""
        return await run_in_thread(self._readers, step)

    async def call_alone(self, step: Callable[[], T]) -> T:
        """Runs a step that takes long in a thread of its own, which takes none from the reads."""
        return await run_in_thread(self._alone, step)

    def close(self) -> None:
        """Waits for the running steps, then closes the environment; blocks.

        If the writing thread hangs, which waits for another process, the environment is left to the end of
        the process: it must not be closed under a thread that uses it.
        """
        self._alone.shutdown()
        self._readers.shutdown()
        if self._writer.close():
            self._environment.close()
