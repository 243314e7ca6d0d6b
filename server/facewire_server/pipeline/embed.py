"""Aligned crops to embeddings."""

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.ports import Model
from facewire_server.types import Rgb

__all__ = ["Embedder"]

_CHUNK = 16
"""Most crops of one prediction: with more, a face takes no less time, and the model's memory grows."""


class Embedder:
    """The `embedding` servable: crops to unit vectors."""

    def __init__(self, model: Model, dimension: int) -> None:
        self._model = model
        self.dimension = dimension

    async def embed(self, crops: Rgb) -> NDArray[np.float32]:
        """Computes one embedding for each crop.

        Args:
            crops: (n, 112, 112, 3) uint8 RGB; n may be 0.

        Returns:
            (n, d) float32, of unit length as the servable promises; the length is not checked here.

        Raises:
            ModelUnavailable: the model does not answer, or its outputs have another shape or are not
                finite.
            TimedOut: it has not answered within the picture's time.
        """
        parts = [np.empty((0, self.dimension), np.float32)]  # n = 0: the model is not called
        for start in range(0, len(crops), _CHUNK):
            parts.append(await self._chunk(crops[start : start + _CHUNK]))
        return np.concatenate(parts)

    async def embed_mirrored(self, crops: Rgb) -> NDArray[np.float32]:
        """Computes one embedding for each crop, from the crop and its mirror image together.

        The normalized sum of the two embeddings depends less on light and pose than one alone, and costs
        twice the time. For pictures that are enrolled or compared, not for frames. The result may be
        compared with plain embeddings.

        Args:
            crops: (n, 112, 112, 3) uint8 RGB; n may be 0.

        Returns:
            (n, d) float32, rows of unit length.

        Raises:
            ModelUnavailable: as `embed`.
            TimedOut: it has not answered within the picture's time.
        """
        both = await self.embed(np.concatenate([crops, crops[:, :, ::-1]]))
        sums = both[: len(crops)] + both[len(crops) :]
        embeddings: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return embeddings

    async def _chunk(self, crops: Rgb) -> NDArray[np.float32]:
        answer = await self._model.predict({"faces": crops})
        embeddings = answer.get("embeddings")
        if embeddings is None or embeddings.shape != (len(crops), self.dimension):
            raise ModelUnavailable("the embedding model's answer has an unexpected shape")
        if not np.isfinite(embeddings).all():
            raise ModelUnavailable("the embedding model's answer is not finite")
        return embeddings.astype(np.float32, copy=False)
