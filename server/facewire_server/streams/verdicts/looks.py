"""The looks that a verdict rests on: few, apart in time, averaged."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Rgb

__all__ = ["CLOCK_STEP_S", "MAX_LOOKS", "MIN_GAP_S", "Look", "Looks"]

MIN_GAP_S: Final = 0.3
"""Seconds between two looks that count as two. Similarities of one track to one template correlate by .57 at
33 ms, .44 at 100 ms, .30 at 200 ms and not at all at 500 ms: see docs/verdicts.md."""

MAX_LOOKS: Final = 5
"""Looks that are averaged. Strangers are named .68 times as often as by one look with three, .57 with five, .50 with ten: see
docs/verdicts.md."""

CLOCK_STEP_S: Final = 1e-6
"""Seconds: the resolution of the times that cameras state, so that sums of frame times in floating point may be off by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One good look at a face.

    Attributes:
        at_s: when, on the clock of its stream.
        sequence: the frame.
        embedding: (d,) float32 of unit length.
        inter_eye_px: distance of the eyes in the picture.
        crop: what the embedding was computed of, if that was not in float32, so that it can be computed again; None = it was.
    """

    at_s: float
    sequence: int
    embedding: NDArray[np.float32]
    inter_eye_px: float
    crop: Rgb | None = None


class Looks:
    """The newest looks, any two of them `MIN_GAP_S` apart, at most `MAX_LOOKS`."""

    def __init__(self) -> None:
        self._looks: list[Look] = []

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def newest(self) -> Look | None:
        """The last look."""
        return self._looks[-1] if self._looks else None

    @property
    def span_s(self) -> float:
        """Seconds between the first look and the last."""
        return self._looks[-1].at_s - self._looks[0].at_s if self._looks else 0.0

    @property
    def inexact(self) -> tuple[Look, ...]:
        """The looks whose embeddings were not computed in float32."""
        return tuple(look for look in self._looks if look.crop is not None)

    @property
    def largest_inter_eye_px(self) -> float:
        """Distance of the eyes in the largest look; 0 without a look."""
        return max((look.inter_eye_px for look in self._looks), default=0.0)

    def add(self, look: Look) -> bool:
        """Adds a look, if it is later than the last one by `MIN_GAP_S`.

        Returns:
            Whether the mean changed.
        """
        newest = self.newest
        if newest is not None and look.at_s - newest.at_s < MIN_GAP_S - CLOCK_STEP_S:
            return False
        self._looks = [*self._looks, look][-MAX_LOOKS:]
        return True

    def put_exact(self, look: Look, embedding: NDArray[np.float32]) -> None:
        """Puts an embedding in float32 in place of a look's own; does nothing if the look is not among these."""
        self._looks = [
            replace(one, embedding=embedding, crop=None) if one is look else one
            for one in self._looks
        ]

    def extend(self, others: "Looks") -> None:
        """Adds the looks of others, in their order."""
        for look in others._looks:
            self.add(look)

    def mean(self) -> NDArray[np.float32] | None:
        """Returns the mean direction: (d,) float32 of unit length; None without a look.

        If the looks cancel each other, it is the last one.
        """
        if not self._looks:
            return None
        total = self._sum()
        length = float(np.linalg.norm(total))
        if length < _SHORTEST_SUM:
            return self._looks[-1].embedding
        mean: NDArray[np.float32] = (total / length).astype(np.float32)
        return mean

    @property
    def cohesion(self) -> float:
        """How closely the looks resemble each other: the length of the mean of their embeddings, in [0, 1].

        The similarity of `mean`, times this, is the mean of the looks' own similarities.
        """
        if len(self._looks) < 2:
            return 1.0
        return min(1.0, float(np.linalg.norm(self._sum())) / len(self._looks))

    def agreement(self, embedding: NDArray[np.float32]) -> float | None:
        """Returns the cosine of an embedding and the mean of the looks; None without a look."""
        mean = self.mean()
        return None if mean is None else float(mean @ embedding)

    def _sum(self) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.sum(
            np.stack([look.embedding for look in self._looks]), axis=0, dtype=np.float64
        )
        return total


_SHORTEST_SUM: Final = 1e-3
"""Length of a sum of unit vectors below which its direction is rounding errors. Chosen, not measured: faces never come near it."""
