"""Gathers the results of single frames into sightings: who was seen, from when to when."""

import csv
from dataclasses import dataclass, field
from typing import TextIO

from facewire import (
    Decision,
    Face,
    FrameResult,
    FramesSkipped,
    FrameStatus,
    Outcome,
    ThresholdSource,
)

__all__ = ["GAP_S", "Ambiguity", "Person", "Sighting", "Sightings", "clock", "write_csv"]

GAP_S = 2.5
"""Seconds between two frames with a person that end a sighting. Chosen, not measured: a face that is missed in one
frame of a slow camera (1 frame a second) is seen again after 2 s, up to half a second later if the camera is not
punctual, which ends nothing; and two visits to a door are two."""


@dataclass(slots=True)
class Sighting:
    """A person's presence without an absence of `GAP_S`.

    Attributes:
        from_s: time of the first frame, seconds from the start of the source.
        to_s: time of the last frame.
        frame_count: frames in which the person was recognized.
        best_similarity: the highest of these frames.
    """

    from_s: float
    to_s: float
    frame_count: int = 0
    best_similarity: float = -1.0


@dataclass(slots=True)
class Person:
    """A person who was seen.

    Attributes:
        identity_id: the identity.
        display_name: its name.
        sightings: in the order of time.
    """

    identity_id: str
    display_name: str
    sightings: list[Sighting] = field(default_factory=list)

    @property
    def frame_count(self) -> int:
        """Frames in which the person was recognized."""
        return sum(sighting.frame_count for sighting in self.sightings)

    @property
    def best_similarity(self) -> float:
        """The highest of all sightings."""
        return max(sighting.best_similarity for sighting in self.sightings)

    def add(self, at_s: float, similarity: float) -> None:
        """Adds one frame; times do not decrease."""
        if not self.sightings or at_s - self.sightings[-1].to_s >= GAP_S:
            self.sightings.append(Sighting(at_s, at_s))
        sighting = self.sightings[-1]
        sighting.to_s = at_s
        sighting.frame_count += 1
        sighting.best_similarity = max(sighting.best_similarity, similarity)


@dataclass(slots=True)
class Ambiguity:
    """Faces that two people match, too closely to choose.

    Attributes:
        label: the two names.
        face_count: over all frames.
    """

    label: str
    face_count: int = 0


@dataclass(slots=True)
class Sightings:
    """The people who were seen, and counts.

    Attributes:
        people: by identity id, in the order of their first sighting.
        frame_count: frames that were recognized.
        skipped_count: frames that were skipped.
        failed_count: frames whose status is not OK: INVALID, UNAVAILABLE or TIMED_OUT.
        unrecognized_count: faces over all frames that are neither KNOWN nor AMBIGUOUS.
        ambiguous_count: AMBIGUOUS faces over all frames.
        ambiguous: the same by the two identities.
        threshold: of the last decision; it follows the size of the gallery.
        threshold_source: who chose it.
    """

    people: dict[str, Person] = field(default_factory=dict)
    frame_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0
    unrecognized_count: int = 0
    ambiguous_count: int = 0
    ambiguous: dict[str, Ambiguity] = field(default_factory=dict)
    threshold: float = 0.0
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED

    def add(self, result: FrameResult | FramesSkipped) -> None:
        """Adds one result of a stream."""
        if isinstance(result, FramesSkipped):
            self.skipped_count += result.frame_count
        elif result.status is not FrameStatus.OK:
            self.failed_count += 1
        else:
            self.frame_count += 1
            for face in result.faces:
                self._add_face(face, result.captured_at_us / 1e6)

    def _add_face(self, face: Face, at_s: float) -> None:
        decision = face.decision
        self.threshold, self.threshold_source = decision.threshold, decision.threshold_source
        if decision.outcome is Outcome.AMBIGUOUS:
            self._add_ambiguous(face, decision)
        elif face.known:
            self._person(decision).add(at_s, decision.similarity)
        else:
            self.unrecognized_count += 1

    def _add_ambiguous(self, face: Face, decision: Decision) -> None:
        self.ambiguous_count += 1
        if decision.ambiguous_between:  # a server that is too old does not say between whom
            ids = sorted(each.identity_id for each in decision.ambiguous_between)
            fresh = Ambiguity(face.label)
            self.ambiguous.setdefault(" or ".join(ids), fresh).face_count += 1

    def _person(self, decision: Decision) -> Person:
        fresh = Person(decision.identity_id, decision.display_name)
        return self.people.setdefault(decision.identity_id, fresh)


def write_csv(file: TextIO, sightings: Sightings) -> None:
    """Writes a row for each sighting, in the order of their beginnings.

    Columns: who (the display name), from_s, to_s, frame_count, best_similarity.

    Args:
        file: open for text with newline="".
        sightings: the rows.
    """
    writer = csv.writer(file)
    writer.writerow(["who", "from_s", "to_s", "frame_count", "best_similarity"])
    seen = [
        (person.display_name, each)
        for person in sightings.people.values()
        for each in person.sightings
    ]
    for who, each in sorted(seen, key=lambda pair: pair[1].from_s):
        times = f"{each.from_s:.2f}", f"{each.to_s:.2f}"
        writer.writerow([who, *times, each.frame_count, f"{each.best_similarity:.3f}"])


def clock(at_s: float) -> str:
    """Minutes and seconds: 75.25 is 1:15.2."""
    tenths = int(at_s * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
