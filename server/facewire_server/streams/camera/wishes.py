"""Which faces of a frame are cut out of it: those whose track or verdict needs an embedding, and good pictures of them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.pipeline.quality import attitude
from facewire_server.streams.camera.line import CameraLine
from facewire_server.streams.camera.people import People
from facewire_server.streams.tracks import Proposal
from facewire_server.types import Faces, Quality

__all__ = ["PeoplesWishes"]

_TRY_AGAIN_S: Final = 0.2
"""Seconds until a face is embedded again for its verdict's sake, if the last embedding was not to be used. Chosen, not measured."""

_SOON_S: Final = 0.1
"""A face that is due within this time is embedded with another one: decoding the picture in full costs more than the
embedding. Chosen, not measured: a look every .4 s may be early by as much and counts nevertheless."""

_BETTER_PORTRAIT: Final = 1.25
"""How much larger a face must be than in the picture that is kept. Chosen, not measured: a person who comes closer is kept a few times."""


class PeoplesWishes:
    """What the people in front of one camera need of its next frame.

    Attributes:
        wants_surroundings: faces are looked at for presentation attacks.
    """

    def __init__(self, people: People, min_inter_eye_px: float, line: CameraLine) -> None:
        """Asks these people.

        Args:
            people: of the stream.
            min_inter_eye_px: distance of the eyes under which a face is too poor.
            line: whether pictures are kept, and whose gate says which are good.
        """
        self._people = people
        self._min_inter_eye_px = min_inter_eye_px
        self._keeps_portraits = line.keeps_portraits or line.unknown.are_kept
        self.wants_surroundings = line.attacks is not None

    def due(self, proposal: Proposal, faces: Faces, at_s: float) -> NDArray[np.bool_]:
        """Returns (n,) which faces of a frame are to be embedded."""
        eyes_px = np.array([attitude(points).inter_eye_px for points in faces.landmarks])
        can_be = ~proposal.is_double & (eyes_px >= self._min_inter_eye_px)
        due = can_be & (proposal.ask | self._wanted(proposal, eyes_px, at_s))
        return (
            can_be & (due | self._wanted(proposal, eyes_px, at_s + _SOON_S)) if due.any() else due
        )

    def wants_portrait(self, track_id: int, quality: Quality) -> bool:
        """Whether a picture of a face is to be kept: of the track that it seems to continue, 0 = of none."""
        if not self._keeps_portraits or self._people.gate.examine(quality).quality.faults:
            return False
        person = self._people.get(track_id)
        return person is None or quality.inter_eye_px > _BETTER_PORTRAIT * person.portrait_px

    def _wanted(
        self, proposal: Proposal, eyes_px: NDArray[np.float64], at_s: float
    ) -> NDArray[np.bool_]:
        """Returns (n,) which faces the verdicts about their tracks want to be looked at."""
        rows = zip(proposal.track_ids.tolist(), eyes_px.tolist(), strict=True)
        wanted = [self._wants(track_id, inter_eye_px, at_s) for track_id, inter_eye_px in rows]
        return np.array(wanted, np.bool_)

    def _wants(self, track_id: int, inter_eye_px: float, at_s: float) -> bool:
        person = self._people.get(track_id)
        if person is None or at_s - person.tried_at_s < _TRY_AGAIN_S:
            return False
        return person.verdict.wants_look(at_s, inter_eye_px=inter_eye_px)
