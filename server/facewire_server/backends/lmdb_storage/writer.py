"""The one thread that writes, and the bounded queue of writes that wait for it.

LMDB has one writer at a time among all processes, and a thread that waits for another process' write
transaction cannot be interrupted. So a caller waits for the thread only a bounded time. Until its write has
begun, which it does when LMDB has granted the transaction, the caller may withdraw it, and then nothing of it is
ever written; a write that has begun runs to its end, and its caller receives the outcome, and is cancelled at its next wait. `_Write`
holds that decision: withdrawn and begun exclude each other.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Generic, TypeVar

from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.tables import Transaction
from facewire_server.errors import StorageBusy
from facewire_server.work.cancellation import cancel_at_next_wait

__all__ = ["WRITE_WAIT_S", "Writer"]

T = TypeVar("T")

WRITE_WAIT_S: Final = 5.0
"""Seconds that a write may wait until it begins. Chosen, not measured: a write takes milliseconds, so only a long
deletion or another process that does not end its own write makes others wait longer."""

_MOST_WAITING: Final = 64
"""Writes that may wait; the largest, a part of an import, holds 1 MiB of vectors. Chosen, not measured."""

_RECHECK_S: Final = 0.1
"""Seconds between two attempts to withdraw a late write that has begun: it may be put back to make room for it.
Chosen, not measured."""

_CLOSE_WAIT_S: Final = 1.0
"""Seconds to wait for the thread at the end, when no caller waits any more. Chosen, not measured."""


class Writer:
    """Runs the writes of this process, first in, first out."""

    def __init__(self, environment: Environment, *, wait_s: float = WRITE_WAIT_S) -> None:
        """Starts the thread.

        Args:
            environment: where the transactions run.
            wait_s: seconds that a write may wait until it begins.
        """
        self._environment = environment
        self._wait_s = wait_s
        self._queue: deque[_Write[Any]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._busy_since_s: float | None = None
        # A daemon: a thread that hangs in LMDB must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="storage-write", daemon=True)
        self._thread.start()

    @property
    def is_blocked(self) -> bool:
        """Whether the write in progress has taken longer than a waiting write waits before it is refused."""
        since_s = self._busy_since_s
        return since_s is not None and time.monotonic() - since_s > self._wait_s

    async def write(self, change: Callable[[Transaction], T], *, beyond_quota: bool = False) -> T:
        """Commits a change in a write transaction.

        A caller that is cancelled before the write has begun withdraws it. Later it receives the outcome, so that it can keep what
        was written, and is cancelled at its next wait.

        Args:
            change, beyond_quota: see `Environment.write`.

        Raises:
            StorageBusy: the queue is full, or the write could not begin in its time; nothing was written.
        """
        await asyncio.sleep(0)  # a cancellation that came during the write before this one is due
        write = _Write(change, beyond_quota)
        self._put(write)
        outcome = asyncio.wrap_future(write.outcome)
        ends_at_s = time.monotonic() + self._wait_s
        is_cancelled = False
        while not outcome.done():
            left_s = ends_at_s - time.monotonic()
            if (is_cancelled or left_s <= 0) and self._withdraw(write):
                if is_cancelled:
                    raise asyncio.CancelledError
                raise StorageBusy(
                    f"another write held {self._environment.name} for {self._wait_s:g} s; nothing was written"
                )
            try:
                await asyncio.wait([outcome], timeout=max(left_s, _RECHECK_S))
            except asyncio.CancelledError:
                is_cancelled = True
        if is_cancelled:
            cancel_at_next_wait()
        return outcome.result()

    def close(self) -> bool:
        """Waits for the writes; blocks. No call may follow.

        Returns:
            False if the thread still hangs after some seconds: then the environment must stay open.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_CLOSE_WAIT_S)
        return not self._thread.is_alive()

    def _put(self, write: "_Write[Any]") -> None:
        with self._changed:
            if len(self._queue) >= _MOST_WAITING:
                raise StorageBusy(
                    f"too many writes wait for {self._environment.name}; nothing was written"
                )
            self._queue.append(write)
            self._changed.notify()

    def _withdraw(self, write: "_Write[Any]") -> bool:
        if not write.withdraw():
            return False
        with self._changed:
            if write in self._queue:
                self._queue.remove(write)
        return True

    def _next(self) -> "_Write[Any] | None":
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            return self._queue.popleft() if self._queue else None

    def _run(self) -> None:
        while (write := self._next()) is not None:
            self._busy_since_s = time.monotonic()
            self._commit(write)
            self._busy_since_s = None
            del write  # with its vectors, before the wait for the next one

    def _commit(self, write: "_Write[Any]") -> None:
        try:
            result = self._environment.write(
                write.begin, beyond_quota=write.beyond_quota, aborted=write.put_back
            )
        except _Withdrawn:
            pass
        except BaseException as error:  # noqa: BLE001 - the caller's, whatever it is
            write.outcome.set_exception(error)
        else:
            write.outcome.set_result(result)


class _Withdrawn(Exception):
    """The write's caller has withdrawn it; it ends the transaction before anything is written."""


class _Write(Generic[T]):
    """A write, and whether it waits, has begun or is withdrawn.

    Attributes:
        beyond_quota: see `Environment.write`.
        outcome: what the caller receives; never set if it is withdrawn.
    """

    def __init__(self, change: Callable[[Transaction], T], beyond_quota: bool) -> None:
        self.beyond_quota = beyond_quota
        self.outcome: Future[T] = Future()
        self._change = change
        self._lock = threading.Lock()
        self._has_begun = False
        self._is_withdrawn = False

    def begin(self, transaction: Transaction) -> T:
        """Makes the change, unless it is withdrawn, in a write transaction that LMDB has granted."""
        with self._lock:
            if self._is_withdrawn:
                raise _Withdrawn
            self._has_begun = True
        return self._change(transaction)

    def put_back(self) -> None:
        """Lets it wait again: its transaction was aborted, and the next one may have to wait."""
        with self._lock:
            self._has_begun = False

    def withdraw(self) -> bool:
        """Keeps it from ever beginning; returns False if it has begun."""
        with self._lock:
            self._is_withdrawn = self._is_withdrawn or not self._has_begun
            return self._is_withdrawn
