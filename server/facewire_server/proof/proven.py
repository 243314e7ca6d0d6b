"""Calls a served model: uses only results of proven versions, and goes on while one replica does.

A call that fails is made once more, on another replica if there is one. A call that is declined, because the replica is
overloaded, waits for its next turn, as long as the picture has time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable, ServerError, TimedOut
from facewire_server.pipeline.ports import Model
from facewire_server.proof.checks import Checks, show
from facewire_server.proof.pauses import Pauses
from facewire_server.proof.replica import Replica
from facewire_server.proof.served import Answer, Declined, ServedModel, ServedReplica
from facewire_server.proof.turns import Place, Turns
from facewire_server.proof.verdicts import Verdicts
from facewire_server.work.deadline import remaining_s

__all__ = ["ProvenModel"]

_FIRST_SHARE: Final = 0.5
"""Share of the picture's remaining time that the first call has while another replica can be called after it. Chosen, not
measured: the second one has as long as the first."""

_HOPELESS: Final = 20
"""Failures in a row of a replica that is not available, after which calls no longer wait for it. Chosen, not measured: one that takes
every second call fails 20 in a row once in a million times."""


class ProvenModel:
    """A served model behind the `Model` port.

    Attributes:
        retried: number of results that were dropped, because their version is not proven, and
            computed again.
        repeated: number of calls that failed, and were made once more.
        declined: number of calls that an overloaded replica declined.
    """

    def __init__(self, served: ServedModel, prove: Callable[[Model], Awaitable[None]]) -> None:
        """Starts without a proven version. Belongs to the running event loop.

        Args:
            served: the model.
            prove: shows the canary to the model that it is called with; raises ModelUnavailable
                if the result is wrong.
        """
        self._served = served
        self._prove = prove
        self._turns = Turns(served.name)
        self._checks = Checks(self._turns)
        self._has_looked = False
        self.retried = 0
        self.repeated = 0
        self.declined = 0

    @property
    def name(self) -> str:
        """The row of the table of servables, for messages."""
        return self._served.name

    @property
    def replica_count(self) -> int:
        """Number of replicas, by the last check."""
        return len(self._turns.replicas)

    @property
    def left_out_count(self) -> int:
        """Number of replicas that are left out, because they fail or are refused."""
        return self.replica_count - len(_taking_part(self._turns.replicas))

    @property
    def waiting_count(self) -> int:
        """Number of calls that wait until a replica can take them."""
        return self._turns.waiting_count

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that are proven now on a replica that takes part, in ascending order."""
        return tuple(
            sorted(
                {
                    one
                    for each in _taking_part(self._turns.replicas)
                    for one in each.verdicts.versions
                }
            )
        )

    @property
    def refusal(self) -> str:
        """Why replicas are left out; "" = none is."""
        replicas = self._turns.replicas
        out = [one for one in replicas if one.standing.is_out]
        if len(replicas) < 2 or not out:
            return "".join(one.standing.reason for one in out)
        reasons = "; ".join(f"{one.served.address}: {one.standing.reason}" for one in out)
        return f"{len(out)} of {len(replicas)} replicas left out: {reasons}"

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once, and once more if the first call fails or its version is not proven.

        Raises:
            ModelUnavailable: no replica answers, or none with a proven version.
            TimedOut: none has answered within the picture's time.
        """
        if (
            not self._has_looked
        ):  # from then on only checks do: pictures must not flood a name server
            await self._find_replicas()
        avoid: list[Replica] = []
        at, is_second = Place.NEW, False
        pauses = Pauses()
        while True:
            async with self._turns.take(at, avoid=avoid) as replica:
                at, connection = Place.AGAIN, replica.served.connection
                answer = await self._answer(replica, inputs, is_second=is_second)
            if isinstance(answer, Answer):
                if await self._may_be_used(replica, answer.version, connection):
                    return answer.outputs
                answer = _NotProven(
                    f"version {answer.version} of the model {self.name!r} is not proven"
                )
            if isinstance(answer, Declined) and answer.is_limit and not answer.was_alone:
                continue  # one of the other calls ends, and leaves its place to this one
            others = self._turns.others(replica)
            if isinstance(answer, Declined) and _may_wait(answer, replica, pauses):
                # One that is busy is better than one that is left out.
                avoid = [replica] if _taking_part(others) else []
                await pauses.pause()
                continue
            avoid = [replica] if others else []
            is_lost = replica.served.connection != connection or not replica.served.is_connected
            if is_second or not (avoid or is_lost or isinstance(answer, _NotProven)):
                raise answer
            is_second = True
            self.repeated += not isinstance(answer, _NotProven)

    async def check(self) -> None:
        """Checks every replica, and renews its proof if that is due.

        Raises:
            ModelUnavailable: no replica is available, proven and without failures; the text says why.
        """
        await self._find_replicas()
        await self._checks.run()
        if not self.versions:
            raise ModelUnavailable(self.refusal or self._turns.no_replica())

    async def _find_replicas(self) -> None:
        served = await self._served.replicas()
        self._has_looked = True
        # Only now: a call and a check may look at the same time, and a replica must not be there twice.
        before = {one.served: one for one in self._turns.replicas}
        self._turns.replicas = tuple(before.get(one) or self._replica(one) for one in served)
        self._turns.grant()

    def _replica(self, served: ServedReplica) -> Replica:
        async def shown(inputs: Mapping[str, NDArray]) -> Answer:
            return await show(self._turns, replica, inputs)

        replica = Replica(served, Verdicts(shown, lambda: served.connection, self._prove))
        return replica

    async def _answer(
        self, replica: Replica, inputs: Mapping[str, NDArray], *, is_second: bool
    ) -> Answer | ServerError:
        """Calls a replica once; an error is returned, not raised."""
        timeout_s = remaining_s()
        if timeout_s is not None and not is_second and _taking_part(self._turns.others(replica)):
            timeout_s *= _FIRST_SHARE
        try:
            return await replica.call(partial(replica.served.answer, inputs, timeout_s), timeout_s)
        except Declined as error:
            self.declined += 1
            return error
        except (ModelUnavailable, TimedOut) as error:
            return error

    async def _may_be_used(self, replica: Replica, version: int, connection: int) -> bool:
        """Returns whether a result of a call that began on this connection may be used."""
        # A proof over the next connection may be another container's.
        if await replica.verdicts.use(version) and replica.served.connection == connection:
            if not replica.verdicts.refusal:  # else it is the late result of a version before
                replica.standing.succeeded()
            return True
        self.retried += 1
        if replica.verdicts.refusal:
            replica.standing.leave_out(replica.verdicts.refusal)
        return False


def _taking_part(replicas: Sequence[Replica]) -> list[Replica]:
    return [one for one in replicas if not one.standing.is_out]


def _may_wait(error: Declined, replica: Replica, pauses: Pauses) -> bool:
    """Whether a call that a replica declined may pause once more, although no end of another call here is waited for.

    If a limit is reached, other callers have filled the replica, and the picture's time ends the wait. If it is only not available,
    it may be out of order, or a proxy without a model server: then a call that has paused long enough fails.
    """
    is_hopeless = not error.is_limit and replica.standing.failures >= _HOPELESS
    return not pauses.are_long or (remaining_s() is not None and not is_hopeless)


class _NotProven(ModelUnavailable):
    """A result was returned by a version that is not proven."""
