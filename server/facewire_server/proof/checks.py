"""Checks the replicas of a served model: whether each is available, of the right signature and proven, and takes part again."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from numpy.typing import NDArray

from facewire_server.errors import ServerError, TimedOut
from facewire_server.proof.pauses import Pauses
from facewire_server.proof.replica import Replica
from facewire_server.proof.served import Answer, Declined
from facewire_server.proof.turns import Place, Turns
from facewire_server.work.deadline import remaining_s, time_limit

__all__ = ["Checks", "show"]

_TIMEOUT_S: Final = 10.0
"""Seconds for the check of one replica: a model's first predictions are slow, since TensorFlow chooses its kernels then.
Chosen, not measured."""

_WAIT_S: Final = 2.0
"""Seconds until the state is reported, whatever check has not ended. Chosen, not measured."""


class Checks:
    """The checks of the replicas in some turns."""

    def __init__(self, turns: Turns) -> None:
        """Checks nothing yet."""
        self._turns = turns
        self._running: dict[Replica, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Checks all replicas at once; returns when all checks have ended, or soon if one hangs: that one goes on."""
        for replica in self._turns.replicas:
            if replica not in self._running:
                self._running[replica] = asyncio.create_task(self._check(replica))
        if self._running:
            await asyncio.wait(self._running.values(), timeout=_WAIT_S)
        self._running = {one: check for one, check in self._running.items() if not check.done()}
        self._turns.grant()

    async def _check(self, replica: Replica) -> None:
        standing = replica.standing
        if replica.connection != replica.served.connection:
            replica.connection = replica.served.connection
            standing.probe_now()
        try:
            with suppress(
                Declined, TimedOut
            ):  # `Replica.call` has counted it, and it may only be busy
                async with time_limit(_TIMEOUT_S):
                    async with self._turns.take(Place.CHECK, only=replica):
                        await replica.call(replica.served.check)
                    await self._renew(replica)
        except ServerError as error:
            standing.leave_out(str(error))
            standing.probe_now()
        except Exception as error:  # noqa: BLE001 - a server must outlive whatever a model answers
            # The error's text is left out: it may hold anything.
            standing.leave_out(f"it cannot be checked: {type(error).__name__}")
            standing.probe_now()

    async def _renew(self, replica: Replica) -> None:
        """Shows a canary to a replica, if one is due."""
        standing, verdicts = replica.standing, replica.verdicts
        is_probe = standing.is_probe_due
        is_due = verdicts.is_renewal_due and not standing.is_out
        if not (is_probe or is_due or verdicts.refusal):
            return
        failure = await verdicts.renew()
        if not failure:
            standing.succeeded()
        elif is_probe:
            standing.probe_failed(failure)
        elif verdicts.refusal:
            standing.leave_out(failure)


async def show(turns: Turns, replica: Replica, inputs: Mapping[str, NDArray]) -> Answer:
    """Shows a canary's inputs to a replica, before pictures that wait.

    Raises:
        ModelUnavailable: it does not answer, or declines the call for long.
        TimedOut: it has not answered in time.
    """
    pauses = Pauses()
    while True:
        timeout_s = remaining_s()
        try:
            async with turns.take(Place.CHECK, only=replica):
                return await replica.call(
                    partial(replica.served.answer, inputs, timeout_s), timeout_s
                )
        except Declined as error:
            if error.is_limit and not error.was_alone:
                continue
            if pauses.are_long:
                raise
            await pauses.pause()
