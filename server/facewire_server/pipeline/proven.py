"""Lets through only what a proven version of a served model answers.

A served model is a name behind an address: another version, other weights or another container may
answer the next call. Every answer says its version. A version that is not known yet is shown the canary
before any answer of it is used; what a version answers that failed is dropped.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from numpy.typing import NDArray

from facewire_server.errors import FacewireError, ModelUnavailable
from facewire_server.pipeline.ports import Model

__all__ = ["Answer", "ProvenModel", "ServedModel"]

_RENEW_AFTER_S: Final = 10.0
"""A container may come back with other weights under the same version: so often it is looked."""

_FORGET_AFTER_S: Final = 30.0
"""A version that did not answer the canary for so long is proven anew when it comes back."""

_ATTEMPTS: Final = 4
"""Replicas may serve different versions; so often the canary is sent until the one in question
answers it."""


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


class ProvenModel:
    """A served model behind the `Model` port."""

    def __init__(self, served: ServedModel, prove: Callable[[Model], Awaitable[None]]) -> None:
        """Knows no version yet.

        Args:
            served: the model.
            prove: shows the canary to the model that it is given; raises ModelUnavailable where
                the answer is wrong.
        """
        self._served = served
        self._prove = prove
        self._proven_at_s: dict[int, float] = {}
        self._refused: dict[int, str] = {}
        self._proving = asyncio.Lock()

    @property
    def name(self) -> str:
        """The servable's name."""
        return self._served.name

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions that are proven now."""
        return tuple(sorted(self._proven_at_s))

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once; where a version answered that is not proven, once more.

        Raises:
            ModelUnavailable: it does not answer, or no proven version does.
            TimedOut: it has not answered within the picture's time.
        """
        for _ in range(2):
            try:
                answer = await self._served.answer(inputs)
            except ModelUnavailable:
                self._proven_at_s.clear()  # who answers next may be another
                raise
            if await self._is_proven(answer.version):
                return answer.outputs
        raise ModelUnavailable(
            f"the model {self.name!r} answers in version {answer.version}, which is not proven"
        )

    async def check(self) -> None:
        """Asks the model whether it is there, and renews its proof when that is due.

        Versions that were refused get another chance. When the model does not answer, what was
        known of it is forgotten.

        Raises:
            ModelUnavailable: it is not there, or not proven; the text says why.
            TimedOut: it has not answered in time.
        """
        self._refused.clear()
        try:
            await self._served.check()
        except FacewireError:
            self._proven_at_s.clear()
            raise
        now_s = time.monotonic()
        for version, proven_at_s in list(self._proven_at_s.items()):
            if now_s - proven_at_s > _FORGET_AFTER_S:
                del self._proven_at_s[version]
        if all(now_s - one > _RENEW_AFTER_S for one in self._proven_at_s.values()):
            async with self._proving:
                if refusal := await self._show_canary():
                    raise ModelUnavailable(refusal)

    async def _is_proven(self, version: int) -> bool:
        if version in self._proven_at_s:
            return True
        async with self._proving:
            for _ in range(_ATTEMPTS):
                if version in self._proven_at_s or version in self._refused:
                    break
                await self._show_canary()
        return version in self._proven_at_s

    async def _show_canary(self) -> str:
        """Proves or refuses whatever version answers; gives the refusal, or ""."""
        shown = _Shown(self._served)
        try:
            await self._prove(shown)
        except ModelUnavailable as error:
            for version in shown.versions:
                self._proven_at_s.pop(version, None)
                self._refused[version] = str(error)
            return str(error)
        for version in shown.versions:
            self._proven_at_s[version] = time.monotonic()
        return ""


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
