"""The threads of a gallery: reads run concurrently, writes one after the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from facewire_server.backends.lmdb_gallery.environment import Environment
from facewire_server.backends.lmdb_gallery.tables import Transaction
from facewire_server.work.threads import run_in_thread

__all__ = ["TransactionThreads"]

T = TypeVar("T")


class TransactionThreads:
    """Runs the transactions of an environment in its own threads.

    LMDB has one writer at a time. So one thread writes, and writes that wait for it or for the
    disk take no thread from the searches.
    """

    def __init__(self, environment: Environment, readers: int) -> None:
        """Takes over the environment, which `close` closes.

        Args:
            environment: where the transactions run.
            readers: reads at once; further ones wait, first in, first out.
        """
        self._environment = environment
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="gallery-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="gallery-write")

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
        """Commits a change in a write transaction; a cancelled caller still receives the outcome.

        Args:
            change, beyond_quota: see `Environment.write`.
        """
        return await run_in_thread(
            self._writer,
            lambda: self._environment.write(change, beyond_quota=beyond_quota),
            to_its_end=True,
        )

    async def call(self, step: Callable[[], T]) -> T:
        """Runs a step in one of the reading threads; the step may open its own transaction."""
        return await run_in_thread(self._readers, step)

    def close(self) -> None:
        """Waits for the running steps, then closes the environment; blocks."""
        self._readers.shutdown()
        self._writer.shutdown()
        self._environment.close()
