"""The people in front of one camera: a verdict for each track, judged together, and the events of their changes."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.attacks import NOT_SCORED
from facewire_server.pipeline.match import candidates_needed, decisions
from facewire_server.pipeline.near import is_near
from facewire_server.streams.camera.evidence import Evidence
from facewire_server.streams.camera.line import CameraLine
from facewire_server.streams.camera.person import Moment, Person, event_of, unknown_visit
from facewire_server.streams.journal import OpenTrack
from facewire_server.streams.tracks import Sighting
from facewire_server.streams.values import StreamPlan
from facewire_server.streams.verdicts import Change, Verdict
from facewire_server.types import Candidate, Decision, Outcome, TrackEvent, TrackReason, TrackState

__all__ = ["People"]


class People:
    """The tracks of one stream that have not ended.

    Attributes:
        events: what changed, in order, until the caller takes it.
    """

    def __init__(self, line: CameraLine, plan: StreamPlan) -> None:
        """Starts without people.

        Args:
            line: whose gallery is searched.
            plan: of the stream.
        """
        self.events: list[TrackEvent] = []
        self.gate = line.gate.asking(min_inter_eye_px=plan.decision.min_inter_eye_px)
        self._line = line
        self._plan = plan
        self._people: dict[int, Person] = {}

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people.values())

    def get(self, track_id: int) -> Person | None:
        """Returns the person of a track; None if there is no such track."""
        return self._people.get(track_id)

    def restore(self, track: OpenTrack) -> None:
        """Adds the person of a track that an earlier stream began, before the first frame."""
        event, decision = track.event, track.event.decision
        is_confirmed = event.state is TrackState.CONFIRMED
        has_standing = is_confirmed and decision.outcome is not Outcome.PENDING
        person = Person(
            event.track_id,
            event.visit_id,
            Moment(0.0, event.first_sequence, event.first_seen_us),
            Moment(0.0, event.last_sequence, event.last_seen_us),
            Verdict.restored(decision if has_standing else None),
            # Whose name is not known any more, since the identity was deleted.
            was_named=event.state is TrackState.RETRACTED or (is_confirmed and not has_standing),
        )
        person.was_named |= bool(person.named)
        self._people[person.track_id] = person
        if is_confirmed and not has_standing:  # the identity was deleted meanwhile
            revoked = Change(TrackState.RETRACTED, TrackReason.GALLERY_CHANGED, decision)
            self._emit(person, [revoked])

    @property
    def named(self) -> frozenset[str]:
        """The identities that verdicts stand on."""
        return frozenset[str]().union(*(person.named for person in self))

    @property
    def inexact_count(self) -> int:
        """Number of looks in the probes that were not embedded in float32; each keeps its crop."""
        return sum(len(person.verdict.inexact) for person in self)

    @property
    def have_been_judged(self) -> bool:
        """Whether there is a person whom a decision was taken about, and who is not to be searched for anyway."""
        return any(
            not person.is_due and (person.named or person.verdict.probe is not None)
            for person in self
        )

    def saw(
        self,
        sighting: Sighting,
        now: Moment,
        *,
        inter_eye_px: float,
        evidence: Evidence | None,
    ) -> Person:
        """Takes note of a face.

        Args:
            sighting: which track it is of.
            now: the frame.
            inter_eye_px: distance of its eyes.
            evidence: the face as it was cut out; None = it was not.

        Returns:
            Its person.
        """
        person = self._people.get(sighting.track_id)
        if person is None:
            person = Person(sighting.track_id, sighting.visit_id, now, now)
            self._people[person.track_id] = person
        person.visit_id, person.last = sighting.visit_id, now
        verdict = person.verdict
        if not sighting.is_sure:
            verdict.hold()
        if evidence is not None:
            person.tried_at_s, person.quality = now.at_s, evidence.quality
        if evidence is None:
            is_small = inter_eye_px < self._plan.decision.min_inter_eye_px
            if is_small and verdict.wants_look(now.at_s, inter_eye_px=inter_eye_px):
                person.is_poor = True
        elif evidence.embedding is None:
            person.is_poor = True
        elif sighting.is_sure:
            person.is_due |= _add_look(person, now, evidence.embedding, evidence)
            if evidence.attack_log_odds is not None:
                person.attacks = person.attacks.after(evidence.attack_log_odds)
        return person

    async def judge(self, now_s: float) -> None:
        """Searches the gallery once for all whose evidence changed, and takes the decisions.

        Args:
            now_s: on the stream's track clock.

        Raises:
            GalleryNotFound, ModelContractMismatch: the gallery cannot be searched.
            ModelUnavailable, TimedOut: an embedding was needed, and the model does not answer.
        """
        due = [person for person in self if person.is_due]
        poor = [person for person in self if person.is_poor and not person.is_due]
        if not due and not poor:
            return
        found = await self._search(due)
        decided = self._decisions(found, len(due), len(poor))
        doubted = [
            person
            for person, decision, candidates in zip(due, decided, found.candidates, strict=False)
            if self._is_near(person, decision, candidates)
        ]
        if await self._look_again(doubted):
            found = await self._search(due)
            decided = self._decisions(found, len(due), len(poor))
        for person, decision in zip([*due, *poor], decided, strict=True):
            person.is_due = person.is_poor = False
            self._emit(person, person.verdict.judge(now_s, decision))

    def rematch(self, missing: Collection[str]) -> None:
        """Marks all whose probe is to be searched again, since the gallery changed.

        Args:
            missing: identities that the gallery lacks; who has no probe, and stands on one of them, is revoked.
        """
        for person in self:
            if person.verdict.probe is not None:
                person.is_due = True
            elif not person.named.isdisjoint(missing):
                change = person.verdict.revoke()
                self._emit(person, [change] if change else [])

    def end(self, track_ids: Iterable[int], reason: TrackReason) -> None:
        """Ends tracks.

        Args:
            track_ids: of the tracks; unknown ones are ignored.
            reason: LOST or STREAM_ENDED.
        """
        for track_id in track_ids:
            person = self._people.pop(track_id, None)
            if person is not None:
                self.hand_over_unknown([person])
                change = person.verdict.end(reason)
                self._emit(person, [change] if change else [])

    def hand_over_unknown(self, people: Iterable[Person]) -> None:
        """Hands over the visits of those who are confirmed as unknown."""
        if self._line.unknown.are_kept:
            for person in people:
                if visit := unknown_visit(person, self._plan.camera_id, self._plan.gallery_id):
                    self._line.unknown.saw(visit)

    async def _search(self, people: list[Person]) -> SearchResult:
        probes = np.zeros((len(people), self._line.embedder.dimension), np.float32)
        for row, person in enumerate(people):
            probes[row] = person.verdict.probe
        needed = candidates_needed(self._plan.decision)
        return await self._line.gallery.search(self._plan.gallery_id, probes, needed)

    def _decisions(self, found: SearchResult, due: int, poor: int) -> list[Decision]:
        is_comparable: NDArray[np.bool_] = np.arange(due + poor) < due
        return decisions(found, is_comparable, self._plan.decision)

    def _is_near(self, person: Person, decision: Decision, candidates: Sequence[Candidate]) -> bool:
        """Whether the verdict might be another one if all its looks had been embedded in float32."""
        verdict = person.verdict
        if not verdict.inexact:
            return False
        similarities = verdict.own_similarities(candidates)
        error = self._line.embedder.frame_error.similarity
        return any(
            is_near(
                decision,
                similarities,
                self._plan.decision,
                error,
                above=above,
            )
            for above in verdict.turning_points()
        )

    async def _look_again(self, people: list[Person]) -> bool:
        """Embeds in float32 every look of people's probes that was not; returns whether there was one."""
        looks = [(person, look) for person in people for look in person.verdict.inexact]
        crops = [look.crop for _, look in looks if look.crop is not None]
        if not crops:
            return False
        embeddings, _ = await self._line.embedder.embed(np.stack(crops))
        for (person, look), embedding in zip(looks, embeddings, strict=True):
            person.verdict.put_exact(look, embedding)
        return True

    def _emit(self, person: Person, changes: Iterable[Change]) -> None:
        person.was_named |= bool(person.named)
        changes = list(changes)
        if any(change.reason is TrackReason.SWAPPED for change in changes):
            person.attacks = NOT_SCORED  # the looks before were at another face
        plan, now_us = self._plan, time.time_ns() // 1000
        self.events += [
            event_of(person, change, plan.camera_id, plan.gallery_id, now_us) for change in changes
        ]


def _add_look(
    person: Person, now: Moment, embedding: NDArray[np.float32], evidence: Evidence
) -> bool:
    return person.verdict.add_look(
        now.at_s,
        now.sequence,
        embedding,
        inter_eye_px=evidence.quality.inter_eye_px,
        crop=None if evidence.is_exact else evidence.crop,
    )
