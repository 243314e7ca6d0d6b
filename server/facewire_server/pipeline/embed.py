"""Aligned crops to embeddings."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.ports import Model
from facewire_server.types import Rgb

__all__ = ["EXACT", "Embedded", "Embedder", "FrameError"]

_CHUNK = 16
"""Most crops of one prediction: with more, a face takes no less time, and the model's memory grows."""


class Embedded(NamedTuple):
    """The embeddings of n crops.

    Attributes:
        embeddings: (n, d) float32, of unit length as the servable promises; the length is not checked here.
        norms: (n,) float32, the length of each before it was normalized: the poorer the crop, the shorter. 0 =
            unknown, since the servable has no such output.
    """

    embeddings: NDArray[np.float32]
    norms: NDArray[np.float32]


class FrameError(NamedTuple):
    """How far an embedding that is not exact lies from the exact one of the same crop, at most.

    Attributes:
        similarity: by which its cosine similarity to any other vector differs.
        norm: by which its norm differs, as a share of the norm.
    """

    similarity: float = 0.0
    norm: float = 0.0


EXACT: Final = FrameError()
"""Of embeddings in float32."""


class Embedder:
    """The `embedding` servable: crops to unit vectors.

    Attributes:
        dimension: d, the length of an embedding.
        frame_error: of embeddings that need not be exact; `EXACT` if they are so nevertheless, since there is no faster model.
    """

    def __init__(
        self,
        model: Model,
        dimension: int,
        *,
        frames: Model | None = None,
        frame_error: FrameError = EXACT,
    ) -> None:
        """Joins the models.

        Args:
            model: computes in float32.
            dimension: length of an embedding.
            frames: the same network in fewer bits, which is faster; None = there is none.
            frame_error: of `frames`.
        """
        self._model = model
        self._frames = frames or model
        self.dimension = dimension
        self.frame_error = EXACT if frames is None else frame_error

    async def embed(self, crops: Rgb, *, exact: bool = True) -> Embedded:
        """Computes one embedding for each crop.

        Args:
            crops: (n, 112, 112, 3) uint8 RGB; n may be 0.
            exact: in float32, as everything must be that is stored or compared once. False = the embeddings may lie
                `frame_error` from the exact ones: for frames, with `near.is_near` behind it.

        Raises:
            ModelUnavailable: the model does not answer, or its outputs have another shape or are not
                finite.
            TimedOut: it has not answered within the picture's time.
        """
        # n = 0: the model is not called
        parts = [Embedded(np.empty((0, self.dimension), np.float32), np.empty(0, np.float32))]
        for start in range(0, len(crops), _CHUNK):
            parts.append(await self._chunk(crops[start : start + _CHUNK], exact=exact))
        embeddings, norms = zip(*parts, strict=True)
        return Embedded(np.concatenate(embeddings), np.concatenate(norms))

    async def embed_mirrored(self, crops: Rgb) -> Embedded:
        """Computes one embedding for each crop, from the crop and its mirror image together.

        The normalized sum of the two embeddings depends less on light and pose than one alone, and costs
        twice the time. For pictures that are enrolled or compared, not for frames. The result may be
        compared with plain embeddings.

        Args:
            crops: (n, 112, 112, 3) uint8 RGB; n may be 0.

        Returns:
            Rows of unit length; the norms are those of the crops as they are, not of their mirror images.

        Raises:
            ModelUnavailable: as `embed`.
            TimedOut: it has not answered within the picture's time.
        """
        both, norms = await self.embed(np.concatenate([crops, crops[:, :, ::-1]]))
        sums = both[: len(crops)] + both[len(crops) :]
        embeddings: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return Embedded(embeddings, norms[: len(crops)])

    async def _chunk(self, crops: Rgb, *, exact: bool) -> Embedded:
        model = self._model if exact else self._frames
        answer = await model.predict({"faces": crops})
        embeddings = answer.get("embeddings")
        if embeddings is None or embeddings.shape != (len(crops), self.dimension):
            raise ModelUnavailable("the embedding model's answer has an unexpected shape")
        norms = answer.get("norms", np.zeros(len(crops), np.float32))
        if norms.shape != (len(crops),):
            raise ModelUnavailable("the embedding model's norms have an unexpected shape")
        if not (np.isfinite(embeddings).all() and np.isfinite(norms).all()):
            raise ModelUnavailable("the embedding model's answer is not finite")
        if (norms < 0).any():
            raise ModelUnavailable("the embedding model's norms are no lengths")
        return Embedded(
            embeddings.astype(np.float32, copy=False), norms.astype(np.float32, copy=False)
        )
