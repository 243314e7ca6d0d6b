"""An embedding model of numpy, for the tests of the `Model` port and of what wraps it."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.proof.served import Answer

__all__ = ["FakeEmbedding", "FakeReplica", "FakeServed"]


class FakeEmbedding:
    """The `embedding` servable's tensors: unit vectors that depend on every pixel of a crop."""

    def __init__(self, dimension: int = 128, seed: int = 0) -> None:
        self._weights = np.random.default_rng(seed).standard_normal((27, dimension))

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        if inputs.keys() != {"faces"}:
            raise ModelUnavailable(f"the model takes ['faces'], not {sorted(inputs)}")
        faces = inputs["faces"].astype(np.float64) - 127.3
        cells = faces[:, :111, :111].reshape(-1, 3, 37, 3, 37, 3).mean(axis=(2, 4)).reshape(-1, 27)
        vectors = cells @ self._weights
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return {"embeddings": unit.astype(np.float32)}


class FakeReplica:
    """A replica of a served model.

    Attributes:
        address: as logs name it.
        result: version and output of an answer; an error is raised instead.
        state: is raised by a check.
        asked: number of calls.
        connection: to be changed when a connection is lost.
        is_connected: whether one is open.
        gate: calls wait until it is set.
        timeouts_s: of the calls.
    """

    def __init__(self, address: str, result: tuple[int, NDArray] | Exception) -> None:
        self.address = address
        self.result = result
        self.state: Exception | None = None
        self.asked = 0
        self.connection = 0
        self.is_connected = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.timeouts_s: list[float | None] = []

    async def answer(self, inputs: Mapping[str, NDArray], timeout_s: float | None) -> Answer:
        self.asked += 1
        self.timeouts_s.append(timeout_s)
        await self.gate.wait()
        if isinstance(self.result, Exception):
            raise self.result
        version, output = self.result
        return Answer(version, {"embeddings": output})

    async def check(self) -> None:
        if self.state:
            raise self.state


class FakeServed:
    """A served model of these replicas.

    Attributes:
        members: the replicas now.
    """

    name = "embedding"

    def __init__(self, *results: tuple[int, NDArray] | Exception) -> None:
        self.members = [FakeReplica(f"10.0.0.{row}:1", one) for row, one in enumerate(results, 1)]

    async def replicas(self) -> Sequence[FakeReplica]:
        return self.members
