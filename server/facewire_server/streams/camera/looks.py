"""Whether the face of a track still looks as it did one frame before, which places cannot say: another person may stand there at once."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.camera.likeness import likeness

__all__ = ["Looks"]

_ALIKE: Final = 0.8
"""Pearson's correlation of one face in two frames, as few gray levels. Two people at one place: below .72 in 95 % of 351 pairs, below .8
in 97; one person, 33, 100 and 200 ms later: above .76, .61 and .43 in 95 %, so that a lively face is embedded in a frame of ten."""

_LEVELS: Final = 3.0
"""Least mean difference of two faces, gray levels, if each is taken from its mean: less is noise. Chosen, not measured."""

Gray = NDArray[np.uint8]


class Looks:
    """The faces of the tracks of one stream, as they were seen last."""

    def __init__(self) -> None:
        self._last: dict[int, Gray] = {}

    def changed(self, track_ids: Sequence[int], faces: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Returns (n,) which faces look unlike their track's last one.

        Args:
            track_ids: (n,) the track that each face seems to continue; 0 = none.
            faces: (n, side, side) uint8 gray levels.
        """
        return np.array(
            [
                track_id in self._last and _is_unlike(self._last[track_id], face)
                for track_id, face in zip(track_ids, faces, strict=True)
            ],
            np.bool_,
        )

    def saw(
        self, track_ids: Sequence[int], faces: NDArray[np.uint8], hidden: Iterable[int]
    ) -> None:
        """Keeps a frame's faces for those that follow.

        Args:
            track_ids: (n,) the track of each face.
            faces: (n, side, side) uint8.
            hidden: the tracks that were not seen and have not ended; what is known of others is forgotten.
        """
        kept = self._last.keys() & set(hidden)
        self._last = {track_id: self._last[track_id] for track_id in kept}
        self._last |= zip(track_ids, faces, strict=True)


def _is_unlike(before: Gray, now: Gray) -> bool:
    change = (now - now.mean()) - (before - before.mean())
    return float(np.abs(change).mean()) > _LEVELS and likeness(before, now) < _ALIKE
