"""Which replica takes the next call: calls wait in one queue, first in, first out, before all replicas of a model.

Before pictures wait those that had their turn and were declined, and before these checks and canaries, which decide whether a
replica is called at all.

A call goes to the replica with the fewest calls in flight, among equals in turn, so that few calls meet a replica that
hangs. A replica that is left out takes calls only if all are, and one that is refused takes none.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum

from facewire_server.errors import ModelUnavailable
from facewire_server.proof.replica import Replica

__all__ = ["Place", "Turns"]


class Place(IntEnum):
    """Where in the queue a call waits."""

    CHECK = 0
    AGAIN = 1
    NEW = 2


@dataclass(slots=True, eq=False)
class _Waiter:
    """A call that waits. Its future ends with the replica that has a place for it."""

    only: Replica | None
    avoid: Collection[Replica]
    granted: "asyncio.Future[Replica]"


class Turns:
    """The queue before the replicas of one model. Belongs to the running event loop.

    Attributes:
        replicas: of the model, now.
    """

    def __init__(self, name: str) -> None:
        """Starts without replicas.

        Args:
            name: of the model, for errors.
        """
        self.replicas: Sequence[Replica] = ()
        self._name = name
        self._queues: dict[Place, list[_Waiter]] = {place: [] for place in Place}
        self._turn = 0

    @property
    def waiting_count(self) -> int:
        """Number of calls that wait."""
        return sum(map(len, self._queues.values()))

    @asynccontextmanager
    async def take(
        self, at: Place, *, only: Replica | None = None, avoid: Collection[Replica] = ()
    ) -> AsyncIterator[Replica]:
        """Waits for a place in a replica, and has it for the block.

        Args:
            at: where in the queue.
            only: in this replica, whatever its standing; None = in any that may take calls.
            avoid: in none of these, while there is another one.

        Raises:
            ModelUnavailable: there is no such replica, or none may take calls.
        """
        waiter = _Waiter(only, avoid, asyncio.get_running_loop().create_future())
        queue = self._queues[at]
        queue.append(waiter)
        self.grant()
        try:
            replica = await waiter.granted
        except asyncio.CancelledError:
            granted = waiter.granted
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                self._release(granted.result())
            raise
        finally:
            if waiter in queue:
                queue.remove(waiter)
        try:
            yield replica
        finally:
            self._release(replica)

    def others(self, replica: Replica) -> Sequence[Replica]:
        """Returns the replicas beside this one that may take calls."""
        return [one for one in self.replicas if not one.verdicts.refusal and one is not replica]

    def no_replica(self) -> str:
        """Returns why no replica takes a call."""
        if not self.replicas:
            return f"the model {self._name!r} does not answer: its name has no address"
        reasons = (one.verdicts.refusal or one.standing.reason for one in self.replicas)
        return next(filter(None, reasons), f"the model {self._name!r} has not answered yet")

    def grant(self) -> None:
        """Lets calls begin for which there is a place; to be called after what a choice depends on has changed."""
        for queue in self._queues.values():
            queue[:] = [waiter for waiter in queue if not self._end(waiter)]

    def _end(self, waiter: _Waiter) -> bool:
        """Ends the wait of a call if it can; returns whether its wait is over."""
        if waiter.granted.done():  # its caller was cancelled, and has not run since
            return True
        pool = self._pool(waiter)
        if not pool:
            waiter.granted.set_exception(ModelUnavailable(self.no_replica()))
            return True
        free = [one for one in pool if not one.limit.is_reached]
        if not free:
            return False
        replica = min(free, key=lambda one: (one.limit.in_flight, one.turn))
        replica.limit.in_flight += 1
        self._turn += 1
        replica.turn = self._turn
        waiter.granted.set_result(replica)
        return True

    def _pool(self, waiter: _Waiter) -> Sequence[Replica]:
        """Returns the replicas of the best kind there is; a full one is waited for, not replaced by a worse one."""
        if waiter.only is not None:
            return [one for one in self.replicas if one is waiter.only]
        usable = [one for one in self.replicas if not one.verdicts.refusal]
        suitable = [one for one in usable if one not in waiter.avoid] or usable
        taking_part = [one for one in suitable if not one.standing.is_out] or suitable
        connected = [one for one in taking_part if one.served.is_connected] or taking_part
        return [one for one in connected if one.verdicts.versions] or connected

    def _release(self, replica: Replica) -> None:
        replica.limit.in_flight -= 1
        self.grant()
