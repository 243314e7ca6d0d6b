"""Whether the face of a track still looks as it did one frame before, which places cannot say: another person may stand there at once."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.pipeline.face_gray import best_fit

__all__ = ["Looks"]

_ALIKE: Final = 0.88
"""Pearson's correlation of one face, with its surroundings, in two frames, as few gray levels, moved so that they fit best. Two people at one place before
one wall: none of 300 exchanges of two signers who resemble each other, and of 2,500 pairs of LFW, reaches it; at .84 1 and .08 % do.
One person, 33, 100 and 200 ms later: all but 2.7, 13 and 23 % do in the lent clips, whose people nod and gesture; the others are embedded. A
limit that follows a track's own usual change lets pass more for a tenth fewer of these."""

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
    if float(np.abs(change).mean()) <= _LEVELS:
        return False
    return best_fit(before, now, enough=_ALIKE) < _ALIKE
