"""What embeddings say about tracks: whose face it is, and who has been here before."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.track import Track

__all__ = [
    "AGREES",
    "CONTRADICTS",
    "CONTRADICTS_AFTER_DOUBT",
    "Away",
    "Departed",
    "averaged",
    "similarities",
]

AGREES: Final = 0.45
"""Cosine from which a face is the track's person. Measured (`python -m bench.track_constants`, SFace): of 24,575 faces beside the track of
another person none reaches 0.443; of a track's own faces 99 of 100 do after a third of a second, 98 of 100 after a second."""

CONTRADICTS: Final = 0.2
CONTRADICTS_AFTER_DOUBT: Final = 0.3
"""Cosine below which a face is another person than the track's: if it moved on calmly, and if another person can have taken its place.
Measured: no face of a track's own is below 0.22, and 1 of 100 below 0.3 after half a second; of other people's, 21 of 100 are above 0.2, and
6 of 100 above 0.3."""

_NEW_SHARE: Final = 0.3
"""Share of the newest embedding in the mean of a track. Measured: the lowest hundredth of cosines to the mean, looks a third of a second
apart, is 0.36 at 0.1, 0.47 at 0.3, 0.43 at 0.5, 0.38 at 1."""

_REMEMBERED_S: Final = 60.0
"""Seconds for which the appearance of a track that ended is kept: who comes back until then is on the same visit. Required."""

_MOST_REMEMBERED: Final = 256
"""Most appearances of ended tracks, the newest: as many as faces of one frame. Chosen, not measured."""


class _Left(NamedTuple):
    visit_id: int
    appearance: NDArray[np.float32]
    seen_at_s: float


class Departed:
    """The people who left the picture not long ago."""

    def __init__(self) -> None:
        self._left: list[_Left] = []

    def add(self, track: Track) -> None:
        """Remembers a track that ended, if it was ever embedded."""
        if track.appearance is not None:
            self._left.append(_Left(track.visit_id, track.appearance, track.seen_at_s))
            del self._left[:-_MOST_REMEMBERED]

    def forget_before(self, at_s: float) -> None:
        """Forgets those who were seen last more than a minute before `at_s`."""
        self._left = [left for left in self._left if at_s - left.seen_at_s <= _REMEMBERED_S]

    def away(self, present: set[int]) -> "Away":
        """Returns those who can come back.

        Args:
            present: visits of the people in the picture, who cannot.
        """
        return Away([left for left in self._left if left.visit_id not in present])


class Away:
    """The people who can come back in one frame, each once."""

    def __init__(self, left: Sequence[_Left]) -> None:
        """Compares all of them at once: a frame can show as many new faces as there are people who left."""
        self._visits = np.array([one.visit_id for one in left], np.int64)
        self._means = np.stack([one.appearance for one in left]) if left else None

    def visit_of(self, embedding: NDArray[np.float32]) -> int | None:
        """Returns the visit of the most similar person, if similar enough, who is no longer away then.

        Args:
            embedding: (d,) float32 unit vector.
        """
        if self._means is None:
            return None
        alike = self._means @ embedding
        best = int(alike.argmax())
        if alike[best] < AGREES:
            return None
        visit_id = int(self._visits[best])
        is_away = self._visits != visit_id
        self._visits = self._visits[is_away]
        self._means = self._means[is_away] if is_away.any() else None
        return visit_id


def averaged(
    appearances: NDArray[np.float32], embeddings: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns the means (k, d) of k tracks with one more embedding each, of unit length.

    Args:
        appearances: (k, d) float32, the means so far.
        embeddings: (k, d) float32 unit vectors.
    """
    means = (1 - _NEW_SHARE) * appearances + _NEW_SHARE * embeddings
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def similarities(
    tracks: Sequence[Track], embeddings: dict[int, NDArray[np.float32]], count: int
) -> NDArray[np.float64]:
    """Returns (t, n) cosines; NaN if the track was never embedded, or the face is not.

    Args:
        tracks: t tracks.
        embeddings: by row.
        count: n, number of rows.
    """
    alike = np.full((len(tracks), count), np.nan)
    known = [index for index, track in enumerate(tracks) if track.appearance is not None]
    rows = sorted(embeddings)
    if known and rows:
        means = np.stack([appearance for t in tracks if (appearance := t.appearance) is not None])
        alike[np.ix_(known, rows)] = means @ np.stack([embeddings[row] for row in rows]).T
    return alike
