"""A servable in operation: its `Model` port, with calls counted, and its statistics.

Both engines stand behind it, so an embedded and a served model are counted alike. Everything is read and written in
the event loop: no locks.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable, ServerError, TimedOut
from facewire_server.pipeline.ports import Model
from facewire_server.proof.proven import ProvenModel
from facewire_server.work.deadline import remaining_s

__all__ = ["EMBEDDED", "MISSING", "ModelStatistics", "OpenedModel"]

EMBEDDED: Final = "embedded"
"""`ModelStatistics.runs_at` of a model in this process."""

MISSING: Final = "missing"
"""`ModelStatistics.runs_at` of a signature that the SavedModel of this process lacks."""

_OF_FACES: Final = {"faces", "boxes"}
"""Inputs of the servables that have one row a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStatistics:
    """A servable's state now, and its calls since the server started.

    Canaries are not counted, nor is a call twice that was made again.

    Attributes:
        name: the row of the table of servables.
        runs_at: `EMBEDDED`, `MISSING`, or the address of the settings.
        replica_count: IP addresses of it now; 0 = its name has none.
        left_out_count: how many of them are left out, because they fail or are refused.
        proven_versions: in ascending order.
        healthy: the last check found it available and proven.
        refusal: why it is not healthy, or which of several versions is refused; "" = neither.
        ok: calls that returned outputs.
        unavailable: calls that raised ModelUnavailable, or another error.
        timed_out: calls that the picture's deadline ended.
        cancelled: calls whose caller went away first.
        retried: results that were computed again, since their version is not proven.
        repeated: calls that were made once more, since the first one failed.
        declined: times that an overloaded replica declined a call, which was then made again.
        in_flight: calls that have not ended.
        waiting: of them, those that wait until a replica can take them.
        total_s: time of all ended calls together, in seconds.
        faces: faces that the calls were about: crops to embed, windows to follow; 0 of a model that takes whole pictures.
    """

    name: str
    runs_at: str
    replica_count: int
    left_out_count: int
    proven_versions: tuple[int, ...]
    healthy: bool
    refusal: str
    ok: int
    unavailable: int
    timed_out: int
    cancelled: int
    retried: int
    repeated: int
    declined: int
    in_flight: int
    waiting: int
    total_s: float
    faces: int

    @property
    def calls(self) -> int:
        """Number of ended calls: what `total_s` is the sum of."""
        return self.ok + self.unavailable + self.timed_out + self.cancelled


class OpenedModel:
    """A row of the table of servables, opened.

    Attributes:
        name: the row's label.
        is_required: as the row says.
        served: the model, if it runs in another process; else None.
    """

    def __init__(
        self,
        name: str,
        model: Model,
        *,
        embedded_version: int = 0,
        address: str = "",
        is_required: bool = True,
    ) -> None:
        """Counts from zero.

        Args:
            name: the row's label.
            model: the engine; a `ProvenModel` if it runs in another process.
            embedded_version: of a model in this process, which was proven when it was opened.
            address: of a served model.
            is_required: as the row says.
        """
        self.name = name
        self.is_required = is_required
        self.served = model if isinstance(model, ProvenModel) else None
        self._model = model
        self._runs_at = address or EMBEDDED
        self._embedded_version = embedded_version
        self._healthy = self.served is None
        self._refusal = ""
        self._ended = dict.fromkeys(("ok", "unavailable", "timed_out", "cancelled"), 0)
        self._in_flight = 0
        self._total_s = 0.0
        self._faces = 0

    @classmethod
    def missing(cls, name: str, reason: str) -> "OpenedModel":
        """Makes one of a signature that the SavedModel of this process lacks, and that is not required."""
        model = cls(name, _Missing(reason), is_required=False)
        model._runs_at, model._healthy, model._refusal = MISSING, False, reason
        return model

    @property
    def is_healthy(self) -> bool:
        """Whether the last check found it available and proven."""
        return self._healthy

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once, and counts the call.

        Raises:
            ModelUnavailable: it does not answer; trying again later may help.
            TimedOut: it has not answered within the picture's time.
        """
        started_s = time.perf_counter()
        self._in_flight += 1
        self._faces += sum(len(inputs[name]) for name in _OF_FACES & inputs.keys())
        outcome = "unavailable"
        try:
            outputs = await self._model.predict(inputs)
            outcome = "ok"
        except TimedOut:
            outcome = "timed_out"
            raise
        except asyncio.CancelledError:
            # A deadline cancels what runs under it, so it arrives here in this form.
            outcome = "timed_out" if remaining_s() == 0 else "cancelled"
            raise
        finally:
            self._in_flight -= 1
            self._ended[outcome] += 1
            self._total_s += time.perf_counter() - started_s
        return outputs

    async def refresh(self) -> None:
        """Checks a served model and keeps the result for `statistics`; a failed check raises nothing."""
        if self.served is None:
            return
        try:
            await self.served.check()
        except ServerError as error:
            self._healthy, self._refusal = False, str(error)
        else:
            self._healthy, self._refusal = True, self.served.refusal

    def statistics(self) -> ModelStatistics:
        """Returns the state now and the counts so far; calls no model."""
        served, is_missing = self.served, self._runs_at == MISSING
        here = () if is_missing else (self._embedded_version,)
        return ModelStatistics(
            name=self.name,
            runs_at=self._runs_at,
            replica_count=served.replica_count if served else int(not is_missing),
            left_out_count=served.left_out_count if served else 0,
            proven_versions=served.versions if served else here,
            healthy=self._healthy,
            refusal=self._refusal,
            retried=served.retried if served else 0,
            repeated=served.repeated if served else 0,
            declined=served.declined if served else 0,
            in_flight=self._in_flight,
            waiting=served.waiting_count if served else 0,
            total_s=self._total_s,
            faces=self._faces,
            **self._ended,
        )


class _Missing:
    """The `Model` port of a signature that is not there."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Raises ModelUnavailable."""
        raise ModelUnavailable(self._reason)
