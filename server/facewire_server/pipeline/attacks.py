"""Presentation attacks: faces with their surroundings to a hint that they are shown to the camera on a screen or on paper.

Experimental. The score is a hint of an attack; a low one does not say that a person is there.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.events import AttackModelFailed, Emit
from facewire_server.pipeline.ports import Model, PresentationAttackDetector
from facewire_server.types import Rgb

__all__ = ["NOT_SCORED", "AttackDetector", "AttackHints", "AttackScore"]

_CHUNK: Final = 16
"""Most pictures of one prediction, as of the embedder."""

_MOST_LOG_ODDS: Final = 6.0
"""Most that one look counts for or against an attack: 400 to 1. Chosen, not measured: the network states up to 10,000,000 to 1, and one such look in
ten would decide the mean."""


class AttackScore(NamedTuple):
    """What the looks at one face say together: the mean of their log-odds.

    A sum, as of independent looks, would become certain of whatever the first look said: looks at one face resemble each
    other (docs/verdicts.md). The mean does not grow with the number of looks, needs two numbers, and one look counts no more in it than it would by itself.

    Attributes:
        total: sum of the log-odds of an attack, each within `_MOST_LOG_ODDS`.
        look_count: looks so far.
    """

    total: float = 0.0
    look_count: int = 0

    def after(self, log_odds: float) -> "AttackScore":
        """Returns the score with one further look."""
        within = min(max(log_odds, -_MOST_LOG_ODDS), _MOST_LOG_ODDS)
        return AttackScore(self.total + within, self.look_count + 1)

    @property
    def value(self) -> float | None:
        """In [0, 1], higher is more like an attack; None without a look."""
        if not self.look_count:
            return None
        return 1 / (1 + math.exp(-self.total / self.look_count))


NOT_SCORED: Final = AttackScore()
"""Of a face that nothing has looked at."""


class AttackDetector:
    """The `presentation_attack` servable behind the port `PresentationAttackDetector`."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def log_odds(self, pictures: Rgb) -> NDArray[np.float32]:
        """Scores faces with their surroundings, as the port says."""
        parts = [np.empty(0, np.float32)]  # n = 0: the model is not called
        for start in range(0, len(pictures), _CHUNK):
            parts.append(await self._chunk(pictures[start : start + _CHUNK]))
        return np.concatenate(parts)

    async def _chunk(self, pictures: Rgb) -> NDArray[np.float32]:
        found = (await self._model.predict({"faces": pictures})).get("log_odds")
        if found is None or found.shape != (len(pictures),):
            raise ModelUnavailable(
                "the answer of the model of presentation attacks has an unexpected shape"
            )
        if not np.isfinite(found).all():
            raise ModelUnavailable("the answer of the model of presentation attacks is not finite")
        return found.astype(np.float32, copy=False)


class AttackHints:
    """Hints of an attack for pictures and frames: no name waits for a hint, so a detector that fails loses only these."""

    def __init__(self, detector: PresentationAttackDetector, emit: Emit) -> None:
        self._detector = detector
        self._emit = emit

    async def looks(self, pictures: Rgb) -> list[float | None]:
        """Returns the log-odds of each face with its surroundings; None of each if the detector does not answer.

        Args:
            pictures: (n, 80, 80, 3) uint8 RGB.

        Raises:
            TimedOut: it has not answered within the picture's time, which is the names' time, too.
        """
        try:
            looks: list[float | None] = (await self._detector.log_odds(pictures)).tolist()
        except ModelUnavailable as error:
            self._emit(AttackModelFailed(str(error)))
            looks = [None] * len(pictures)
        return looks
