"""Counts the frames and faces of a stream: what the names of its visits leave out."""

from dataclasses import dataclass, field, replace

from facewire import (
    Face,
    FrameResult,
    FramesSkipped,
    FrameStatus,
    Outcome,
    ThresholdSource,
    TrackEvent,
)

__all__ = ["Ambiguity", "Tally"]


@dataclass(slots=True)
class Ambiguity:
    """Faces that two people match, too closely to choose.

    Attributes:
        label: the two names, by their ids.
        face_count: over all frames.
    """

    label: str
    face_count: int = 0


@dataclass(slots=True)
class Tally:
    """Counts over all frames.

    Attributes:
        frame_count: frames that were recognized.
        skipped_count: frames that were skipped.
        failed_count: frames whose status is not OK: INVALID, UNAVAILABLE or TIMED_OUT.
        unrecognized_count: faces over all frames that are neither KNOWN nor AMBIGUOUS.
        ambiguous_count: AMBIGUOUS faces over all frames.
        ambiguous: the same by the two identities.
        threshold: of the last decision; it follows the size of the gallery.
        threshold_source: who chose it.
    """

    frame_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0
    unrecognized_count: int = 0
    ambiguous_count: int = 0
    ambiguous: dict[str, Ambiguity] = field(default_factory=dict)
    threshold: float = 0.0
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED

    def add(self, result: FrameResult | FramesSkipped | TrackEvent) -> None:
        """Adds one result of a stream; events are not counted."""
        if isinstance(result, FramesSkipped):
            self.skipped_count += result.frame_count
        elif isinstance(result, FrameResult) and result.status is not FrameStatus.OK:
            self.failed_count += 1
        elif isinstance(result, FrameResult):
            self.frame_count += 1
            for face in result.faces:
                self._add_face(face)

    def _add_face(self, face: Face) -> None:
        decision = face.decision
        if decision.threshold:  # an open verdict may have none
            self.threshold = decision.threshold
            self.threshold_source = decision.threshold_source
        if decision.outcome is Outcome.AMBIGUOUS:
            self.ambiguous_count += 1
            if decision.ambiguous_between:  # a server that is too old does not say between whom
                # By id: which of the two is more similar changes from frame to frame.
                pair = sorted(decision.ambiguous_between, key=lambda each: each.identity_id)
                key = " or ".join(each.identity_id for each in pair)
                fresh = Ambiguity(replace(decision, ambiguous_between=tuple(pair)).label)
                self.ambiguous.setdefault(key, fresh).face_count += 1
        elif not face.known:
            self.unrecognized_count += 1
