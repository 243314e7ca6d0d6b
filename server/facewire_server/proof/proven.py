"""Uses only results of proven versions of a served model.

A served model is a name behind an address: another version, other weights or another container may
handle the next call. Every response carries its version. A new version, and any version after a lost
connection, is shown the canary before a result of it is used; a version that failed is not used.

Replicas with different weights under the same version number cannot be distinguished. Other calls decide which of
them a canary reaches, so a version that failed must pass several rounds: after one, 41 % of the results used would
be wrong ones (simulated: two replicas, one of them wrong, 20 calls a second), and templates made of them would stay.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable, ServerError
from facewire_server.pipeline.ports import Model

__all__ = ["Answer", "ProvenModel", "ServedModel"]

_RENEW_AFTER_S: Final = 10.0
"""Seconds between renewals of the proof: a container may restart with other weights under the same version, and
gRPC's retry hides that. Chosen, not measured: two canaries cost 0.1 s of one processor."""

_ATTEMPTS: Final = 2
"""Rounds of canaries in which the wanted version must be reached; another version may run on the
replica that a canary reaches. Two rounds of two canaries reach four replicas in turn."""

_ROUNDS_AFTER_REFUSAL: Final = 5
"""Rounds in a row, one a second, that a version must pass after it failed: two canaries that fall on replicas at
random both miss the wrong one in a quarter of the rounds, in five of five once in a thousand times."""

_CANARIES_IF_UNKNOWN: Final = 2
"""Canaries at once if the number of replicas is unknown: a roll-forward runs two versions at a time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outputs of one prediction, and the version that made them."""

    version: int
    outputs: dict[str, NDArray]


class ServedModel(Protocol):
    """A model in another process; any replica, in any version, may handle a call."""

    @property
    def name(self) -> str:
        """The row of the table of servables, for messages."""
        ...

    @property
    def replica_count(self) -> int:
        """Number of replica addresses; 0 = unknown, since gRPC resolves a DNS name."""
        ...

    @property
    def connection(self) -> int:
        """Changes whenever a call finds a connection lost, or connections are opened again."""
        ...

    async def answer(self, inputs: Mapping[str, NDArray]) -> Answer:
        """Runs the model once.

        Raises:
            ModelUnavailable: it does not answer.
            TimedOut: it has not answered within the picture's time.
        """
        ...

    async def check(self) -> None:
        """Checks that a version is loaded and has the expected signature.

        Raises:
            ModelUnavailable: no version passes the check; the text says what was expected and found.
            TimedOut: it has not answered before the deadline.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The result of the last round that reached a version, and the rounds that it must still pass."""

    connection: int
    rounds_left: int


class ProvenModel:
    """A served model behind the `Model` port.

    Attributes:
        refusal: why a canary failed in the last round; "" = all passed.
        retried: number of results that were dropped, because their version is not proven, and
            computed again.
    """

    def __init__(self, served: ServedModel, prove: Callable[[Model], Awaitable[None]]) -> None:
        """Starts without a proven version.

        Args:
            served: the model.
            prove: shows the canary to the model that it is called with; raises ModelUnavailable
                if the result is wrong.
        """
        self._served = served
        self._prove = prove
        self._verdicts: dict[int, _Verdict] = {}
        # A version is forgotten that neither of the last two rounds reached, and of which no result
        # was used since the last one.
        self._reached: set[int] = set()
        self._used: set[int] = set()
        self._renewed_at_s = -float("inf")
        self._proving = asyncio.Lock()
        self.refusal = ""
        self.retried = 0

    @property
    def name(self) -> str:
        """The row of the table of servables, for messages."""
        return self._served.name

    @property
    def replica_count(self) -> int:
        """Number of replica addresses; 0 = unknown."""
        return self._served.replica_count

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that are proven now, in ascending order."""
        return tuple(sorted(filter(self._is_proven, self._verdicts)))

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once, and once more if the first result is not of a proven version.

        Raises:
            ModelUnavailable: it does not answer, or no proven version does.
            TimedOut: it has not answered within the picture's time.
        """
        answer = await self._served.answer(inputs)
        if not await self._becomes_proven(answer.version):
            self.retried += 1
            answer = await self._served.answer(inputs)  # of the next replica
            if not await self._becomes_proven(answer.version):
                raise ModelUnavailable(
                    f"version {answer.version} of the model {self.name!r} is not proven"
                )
        self._used.add(answer.version)
        return answer.outputs

    async def check(self) -> None:
        """Checks that the model is available, and renews its proof if that is due.

        While a version is refused or none is proven, the renewal is due at every check.

        Raises:
            ModelUnavailable: it is not available, or no version is proven; the text says why.
            TimedOut: it has not answered before the deadline.
        """
        await self._served.check()
        if self._is_renewal_due():
            async with self._proving:
                await self._show_canaries()
        if not self.versions:
            raise ModelUnavailable(
                self.refusal or f"the model {self.name!r} was refused, and has been proven since"
            )

    def _is_renewal_due(self) -> bool:
        return (
            time.monotonic() - self._renewed_at_s > _RENEW_AFTER_S
            or not self.versions
            or any(one.rounds_left for one in self._verdicts.values())
        )

    async def _becomes_proven(self, version: int) -> bool:
        if self._is_proven(version):
            return True
        async with self._proving:  # frames that wait here share one round
            for _ in range(_ATTEMPTS):
                if self._is_proven(version) or self._is_refused(version):
                    break
                await self._show_canaries()
        return self._is_proven(version)

    def _is_proven(self, version: int) -> bool:
        verdict = self._verdicts.get(version)
        return verdict is not None and verdict == _Verdict(self._served.connection, 0)

    def _is_refused(self, version: int) -> bool:
        verdict = self._verdicts.get(version)
        return verdict is not None and verdict.rounds_left > 0

    async def _show_canaries(self) -> None:
        """Proves or refuses every version that the canaries reach; forgets versions that are gone."""
        connection = self._served.connection
        count = self._served.replica_count or _CANARIES_IF_UNKNOWN
        reached: dict[int, bool] = {}
        self.refusal = ""
        # All at once: round robin sends each replica one.
        for versions, refusal in await asyncio.gather(*(self._show_canary() for _ in range(count))):
            self.refusal = self.refusal or refusal
            for version in versions:  # one failed canary refuses the version, even if others passed
                reached[version] = reached.get(version, True) and not refusal
        if not reached:  # no replica answered, which proves nothing about any version
            return
        self._renewed_at_s = time.monotonic()
        for version, is_right in reached.items():
            left = self._verdicts[version].rounds_left - 1 if version in self._verdicts else 0
            left = max(left, 0) if is_right else _ROUNDS_AFTER_REFUSAL
            self._verdicts[version] = _Verdict(connection, left)
        recent = self._reached | self._used | reached.keys()
        self._verdicts = {one: self._verdicts[one] for one in self._verdicts.keys() & recent}
        self._reached, self._used = set(reached), set()

    async def _show_canary(self) -> tuple[set[int], str]:
        """Returns the versions that a canary reached, and the reason for refusal, or ""."""
        shown = _Shown(self._served)
        try:
            await self._prove(shown)
        except ServerError as error:
            return shown.versions, str(error)
        return shown.versions, ""


class _Shown:
    """A served model as the canary calls it: records which versions answer."""

    def __init__(self, served: ServedModel) -> None:
        self._served = served
        self.versions: set[int] = set()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once."""
        answer = await self._served.answer(inputs)
        self.versions.add(answer.version)
        return answer.outputs
