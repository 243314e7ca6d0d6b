"""Who was seen when: single frames gathered into stretches of time."""

from dataclasses import dataclass, field

from facewire import Face, FrameResult, FramesSkipped, FrameStatus

__all__ = ["Sighting", "Sightings", "clock"]

_GAP_S = 2.0


@dataclass(slots=True)
class Sighting:
    """One person's presence.

    Attributes:
        identity_id: who.
        display_name: their name.
        stretches_s: from and to, seconds; times apart by less than 2 s are one stretch.
        frame_count: frames in which they were recognised.
        best_similarity: of all these.
    """

    identity_id: str
    display_name: str
    stretches_s: list[tuple[float, float]] = field(default_factory=list)
    frame_count: int = 0
    best_similarity: float = -1.0

    def add(self, at_s: float, similarity: float) -> None:
        """Takes in one frame; times do not decrease."""
        self.frame_count += 1
        self.best_similarity = max(self.best_similarity, similarity)
        if self.stretches_s and at_s - self.stretches_s[-1][1] < _GAP_S:
            self.stretches_s[-1] = (self.stretches_s[-1][0], at_s)
        else:
            self.stretches_s.append((at_s, at_s))


@dataclass(slots=True)
class Sightings:
    """Everybody who was seen.

    Attributes:
        people: by identity id, in the order of their first sighting.
        frame_count: frames that were worked on.
        skipped_count: frames that were passed over.
        failed_count: frames that could not be used or answered.
        unrecognised_count: faces, over all frames, without a name.
    """

    people: dict[str, Sighting] = field(default_factory=dict)
    frame_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0
    unrecognised_count: int = 0

    def add(self, result: FrameResult | FramesSkipped) -> None:
        """Takes in one result of a stream."""
        if isinstance(result, FramesSkipped):
            self.skipped_count += result.frame_count
        elif result.status is not FrameStatus.OK:
            self.failed_count += 1
        else:
            self.frame_count += 1
            for face in result.faces:
                self._add_face(face, result.captured_at_us / 1e6)

    def _add_face(self, face: Face, at_s: float) -> None:
        if face.decision is None or not face.known:
            self.unrecognised_count += 1
            return
        decision = face.decision
        person = self.people.setdefault(
            decision.identity_id, Sighting(decision.identity_id, decision.display_name)
        )
        person.add(at_s, decision.similarity)


def clock(at_s: float) -> str:
    """Minutes and seconds: 75.25 is 1:15.2."""
    tenths = int(at_s * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
