"""Lets through only what a proven version of a served model answers.

A served model is a name behind an address: another version, other weights or another container may
answer the next call. Every answer says its version. A version that is not known yet is shown the canary
before any answer of it is used; what a version answers that failed is dropped.

Replicas that serve different weights as the same version look like one. So the canary is shown as often as
there are replicas, all at once: they are asked in turn, so each gets one.
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
"""A container may come back with other weights under the same version: so often it is looked."""

_FORGET_AFTER_S: Final = 30.0
"""A version that did not answer the canary for so long is proven anew when it comes back."""

_DOUBT_FOR_S: Final = 60.0
"""So long after a wrong canary one right one is not enough: it may have been another replica's."""

_ATTEMPTS: Final = 2
"""Replicas may serve different versions; so often the canary is shown to all until the one in
question answers it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a served model answered, and which version of it."""

    version: int
    outputs: dict[str, NDArray]


class ServedModel(Protocol):
    """A model in another process, of which any version may answer."""

    @property
    def name(self) -> str:
        """The servable's name."""
        ...

    @property
    def replica_count(self) -> int:
        """At how many addresses it is, as far as is known."""
        ...

    @property
    def connection(self) -> int:
        """Another number when a connection was lost or opened: who answers then may be another."""
        ...

    async def answer(self, inputs: Mapping[str, NDArray]) -> Answer:
        """Runs the model once.

        Raises:
            ModelUnavailable: it does not answer.
            TimedOut: it has not answered within the picture's time.
        """
        ...

    async def check(self) -> None:
        """Asks whether it is loaded and has the signature that it should have.

        Raises:
            ModelUnavailable: it is not, or has not; the text says what was expected and found.
            TimedOut: it has not answered in time.
        """
        ...


@dataclass(slots=True)
class _Standing:
    """What the canary has shown of one version; times by `time.monotonic`."""

    connection: int
    right_in_a_row: int = 0
    right_at_s: float = -float("inf")
    wrong_at_s: float = -float("inf")


class ProvenModel:
    """A served model behind the `Model` port.

    Attributes:
        refusal: why a canary failed when it was shown last; "" = it did not.
    """

    def __init__(self, served: ServedModel, prove: Callable[[Model], Awaitable[None]]) -> None:
        """Knows no version yet.

        Args:
            served: the model.
            prove: shows the canary to the model that it is given; raises ModelUnavailable where
                the answer is wrong.
        """
        self._served = served
        self._prove = prove
        self._standings: dict[int, _Standing] = {}
        self._answering: set[int] = set()  # the versions that the last canaries met
        self.refusal = ""
        self._proving = asyncio.Lock()

    @property
    def name(self) -> str:
        """The servable's name."""
        return self._served.name

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that are proven now."""
        return tuple(sorted(filter(self._is_proven, self._standings)))

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once; where a version answered that is not proven, once more.

        Raises:
            ModelUnavailable: it does not answer, or no proven version does.
            TimedOut: it has not answered within the picture's time.
        """
        for _ in range(2):
            answer = await self._served.answer(inputs)
            if await self._becomes_proven(answer.version):
                return answer.outputs
        raise ModelUnavailable(
            f"the model {self.name!r} answers in version {answer.version}, which is not proven"
        )

    async def check(self) -> None:
        """Asks the model whether it is there, and renews its proof when that is due.

        Versions that were refused get another chance here while no other is proven.

        Raises:
            ModelUnavailable: it is not there, or no version that answers is proven; the text says
                why.
            TimedOut: it has not answered in time.
        """
        await self._served.check()
        now_s = time.monotonic()
        self._standings = {
            version: one
            for version, one in self._standings.items()
            if now_s - max(one.right_at_s, one.wrong_at_s) <= _DOUBT_FOR_S
        }
        proven = [self._standings[one] for one in self._answering if self._is_proven(one)]
        if all(now_s - one.right_at_s > _RENEW_AFTER_S for one in proven):
            async with self._proving:
                await self._show_canaries()
        if not any(map(self._is_proven, self._answering)):
            raise ModelUnavailable(
                self.refusal
                or f"the model {self.name!r} was refused lately, and proves itself anew"
            )

    async def _becomes_proven(self, version: int) -> bool:
        if self._is_proven(version):
            return True
        async with self._proving:
            for _ in range(_ATTEMPTS):
                if self._is_proven(version) or self._is_doubted(version):
                    break
                await self._show_canaries()
        return self._is_proven(version)

    def _is_proven(self, version: int) -> bool:
        standing = self._standings.get(version)
        wanted = self._canary_count if self._is_doubted(version) else 1
        return (
            standing is not None
            and standing.connection == self._served.connection
            and standing.right_in_a_row >= wanted
            and time.monotonic() - standing.right_at_s <= _FORGET_AFTER_S
        )

    def _is_doubted(self, version: int) -> bool:
        standing = self._standings.get(version)
        return standing is not None and time.monotonic() - standing.wrong_at_s <= _DOUBT_FOR_S

    @property
    def _canary_count(self) -> int:
        return max(2, self._served.replica_count)

    async def _show_canaries(self) -> None:
        """Proves or refuses every version that answers."""
        connection = self._served.connection
        shown = [_Shown(self._served) for _ in range(self._canary_count)]
        refusals = await asyncio.gather(*map(self._show_canary, shown))
        self.refusal = next(filter(None, refusals), "")
        self._answering = set().union(*(one.versions for one in shown))
        # Judged together: what one replica has right must not count before all have answered.
        for one, refusal in zip(shown, refusals, strict=True):
            for version in one.versions:
                self._judge(version, connection, is_right=not refusal)

    async def _show_canary(self, shown: "_Shown") -> str:
        """Gives why the answer cannot be used, or ""."""
        try:
            await self._prove(shown)
        except ServerError as error:
            return str(error)
        return ""

    def _judge(self, version: int, connection: int, *, is_right: bool) -> None:
        standing = self._standings.setdefault(version, _Standing(connection))
        if standing.connection != connection:
            standing.connection, standing.right_in_a_row = connection, 0
        if is_right:
            standing.right_in_a_row += 1
            standing.right_at_s = time.monotonic()
        else:
            standing.right_in_a_row = 0
            standing.wrong_at_s = time.monotonic()


class _Shown:
    """A served model as the canary sees it: any version may answer, and is noted."""

    def __init__(self, served: ServedModel) -> None:
        self._served = served
        self.versions: set[int] = set()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once."""
        answer = await self._served.answer(inputs)
        self.versions.add(answer.version)
        return answer.outputs
