"""An embedding model of numpy, for the tests of the `Model` port and of what wraps it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.proof.proven import Answer

__all__ = ["FakeEmbedding", "FakeServed"]


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


class FakeServed:
    """Replicas of a served model, called in turn.

    Attributes:
        replicas: of each, its version and output; an error is raised instead.
        asked: number of answers by version.
        connection: to be changed when a connection is lost.
        replica_count: as the model says it; 0 = unknown.
    """

    name = "embedding"
    connection = 0

    def __init__(self, *replicas: tuple[int, NDArray] | Exception) -> None:
        self.replicas = list(replicas)
        self.asked: dict[int, int] = {}
        self.state: Exception | None = None
        self.replica_count = len(replicas)
        self._turn = 0

    async def answer(self, inputs: Mapping[str, NDArray]) -> Answer:
        replica = self.replicas[self._turn % len(self.replicas)]
        self._turn += 1
        if isinstance(replica, Exception):
            raise replica
        version, output = replica
        self.asked[version] = self.asked.get(version, 0) + 1
        return Answer(version, {"embeddings": output})

    def skip(self, turns: int) -> None:
        """Spends turns, as the calls of others do."""
        self._turn += turns

    async def check(self) -> None:
        if self.state:
            raise self.state
