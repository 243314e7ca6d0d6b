"""Which versions of one replica are proven.

Behind an address another version, other weights or another container may handle the next call. Every response carries its version.
A new version, and any version after a lost connection, is shown the canary before a result of it is used; a version that
failed is not used.

Behind one address may also stand a proxy with several model servers; those with other weights under the same version number
cannot be distinguished, and a canary reaches any of them. So a version that failed must pass several rounds: after one, 41 %
of the results used would be wrong ones (simulated: two servers, one of them wrong, 20 calls a second), and templates made
of them would stay.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from numpy.typing import NDArray

from facewire_server.errors import ServerError
from facewire_server.pipeline.ports import Model
from facewire_server.proof.served import Answer

__all__ = ["Verdicts"]

_RENEW_AFTER_S: Final = 10.0
"""Seconds between renewals of the proof: behind a proxy a container may restart with other weights under the same version, and its
connection stays. Chosen, not measured: a canary costs 0.05 s of one processor."""

_ATTEMPTS: Final = 2
"""Rounds in which the wanted version must be reached: while versions change, a canary may reach the other one."""

_ROUNDS_AFTER_REFUSAL: Final = 5
"""Rounds in a row, one a second, that a version must pass after it failed: behind a proxy, canaries that fall on two servers at
random miss the wrong one in five of five rounds three times in a hundred."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The result of the last round that reached a version, and the rounds that it must still pass."""

    connection: int
    rounds_left: int


class Verdicts:
    """The versions of one replica.

    Attributes:
        refusal: why the version that the last canary reached is not used; "" = it is.
    """

    def __init__(
        self,
        answer: Callable[[Mapping[str, NDArray]], Awaitable[Answer]],
        connection: Callable[[], int],
        prove: Callable[[Model], Awaitable[None]],
    ) -> None:
        """Starts without a proven version.

        Args:
            answer: calls the replica.
            connection: returns a number that changes when the connection to it is lost.
            prove: shows the canary to the model that it is called with; raises ModelUnavailable
                if the result is wrong.
        """
        self._answer = answer
        self._connection = connection
        self._prove = prove
        self._verdicts: dict[int, _Verdict] = {}
        # A version is forgotten that neither of the last two rounds reached, and of which no result
        # was used since the last one.
        self._reached: set[int] = set()
        self._used: set[int] = set()
        self._renewed_at_s = -float("inf")
        self._proving = asyncio.Lock()
        self.refusal = ""

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that are proven now, in ascending order."""
        return tuple(sorted(filter(self._is_proven, self._verdicts)))

    @property
    def is_renewal_due(self) -> bool:
        """Whether the last round is long ago, or a version is refused, or none is proven."""
        return (
            time.monotonic() - self._renewed_at_s > _RENEW_AFTER_S
            or not self.versions
            or any(one.rounds_left for one in self._verdicts.values())
        )

    async def use(self, version: int) -> bool:
        """Returns whether a result of the version may be used, after a canary if that is not known yet."""
        if not self._is_proven(version):
            async with self._proving:  # pictures that wait here share one round
                for _ in range(_ATTEMPTS):
                    if self._is_proven(version) or self._is_refused(version):
                        break
                    await self._show_canary()
        if not self._is_proven(version):
            return False
        self._used.add(version)
        return True

    async def renew(self) -> str:
        """Shows the replica a canary; returns why it failed, "" = it passed. Sets `refusal` if it reached a version."""
        async with self._proving:
            return await self._show_canary()

    def _is_proven(self, version: int) -> bool:
        return self._verdicts.get(version) == _Verdict(self._connection(), 0)

    def _is_refused(self, version: int) -> bool:
        verdict = self._verdicts.get(version)
        return verdict is not None and verdict.rounds_left > 0

    async def _show_canary(self) -> str:
        """Proves or refuses every version that the canary reaches; forgets versions that are gone."""
        connection, shown, failure = self._connection(), _Shown(self._answer), ""
        try:
            await self._prove(shown)
        except ServerError as error:
            failure = str(error)
        if not shown.versions:  # it was not answered, which proves nothing about any version
            return failure
        self._renewed_at_s = time.monotonic()
        for version in shown.versions:
            left = self._verdicts[version].rounds_left - 1 if version in self._verdicts else 0
            left = _ROUNDS_AFTER_REFUSAL if failure else max(left, 0)
            self._verdicts[version] = _Verdict(connection, left)
            if left and not failure:
                failure = f"version {version} was refused, and has passed a canary since"
        self.refusal = failure
        recent = self._reached | self._used | shown.versions
        self._verdicts = {one: self._verdicts[one] for one in self._verdicts.keys() & recent}
        self._reached, self._used = set(shown.versions), set()
        return failure


class _Shown:
    """A replica as the canary calls it: records which versions answer."""

    def __init__(self, answer: Callable[[Mapping[str, NDArray]], Awaitable[Answer]]) -> None:
        self._answer = answer
        self.versions: set[int] = set()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once."""
        answer = await self._answer(inputs)
        self.versions.add(answer.version)
        return answer.outputs
