"""One track: a person in front of the camera, as far as the last frames show."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.values import TrackRecord

__all__ = ["Track"]


@dataclass(slots=True, eq=False)
class Track:
    """What the tracker remembers of a person.

    Attributes:
        track_id: never used again.
        visit_id: id of the visit's first track.
        box: (4,) float64, where the face was seen last, pixels of the upright picture.
        velocity_px: (2,) float64 x, y, pixels a second.
        seen_at_s: when it was seen last.
        agreed_at_s: when an embedding agreed last, or was the first.
        poor_at_s: when an embedding was asked for last and decided nothing, or was not to be had.
        undecided: embeddings since the last one that agreed that neither agreed nor contradicted, while the track was not sure.
        is_visible: seen in the last frame.
        is_placed: False: its place means nothing since a cut.
        is_sure: no other person can have taken the track's place since its last embedding.
        is_beside: another track has been near since this one was seen last.
        appearance: (d,) float32 unit vector, the mean of its embeddings; None = never embedded.
    """

    track_id: int
    visit_id: int
    box: NDArray[np.float64]
    velocity_px: NDArray[np.float64]
    seen_at_s: float
    agreed_at_s: float = -np.inf
    poor_at_s: float = -np.inf
    undecided: int = 0
    is_visible: bool = True
    is_placed: bool = True
    is_sure: bool = False
    is_beside: bool = False
    appearance: NDArray[np.float32] | None = None

    def agree(self, appearance: NDArray[np.float32], at_s: float, *, is_sure: bool) -> None:
        """Takes the mean with an embedding that agreed, or the first one."""
        self.appearance, self.agreed_at_s = appearance, at_s
        self.is_sure, self.undecided = is_sure, 0

    def hesitate(self, at_s: float, *, is_safe: bool) -> None:
        """Takes note of an embedding that decided nothing; the track stays sure only if its place is `is_safe`."""
        self.is_sure &= is_safe
        self.undecided += not self.is_sure
        self.poor_at_s = at_s

    def record(self, at_s: float) -> TrackRecord:
        """Returns what is kept of the track at a time."""
        left, top, right, bottom = self.box.tolist()
        x, y = self.velocity_px.tolist()
        unseen_s = max(at_s - self.seen_at_s, 0.0)
        return TrackRecord(
            self.track_id, self.visit_id, (left, top, right, bottom), (x, y), unseen_s
        )

    @classmethod
    def of_record(cls, record: TrackRecord, at_s: float) -> Self:
        """Returns a track that was kept `at_s`: not visible, and not to be believed by its place alone."""
        return cls(
            record.track_id,
            record.visit_id,
            np.array(record.box, np.float64),
            np.array(record.velocity_px, np.float64),
            at_s - record.unseen_s,
            is_visible=False,
            is_beside=True,
        )
