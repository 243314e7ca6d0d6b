"""The verdict about the person of one track: tentative, confirmed, retracted, ended."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.verdicts.change import Change
from facewire_server.streams.verdicts.evidence import Evidence
from facewire_server.streams.verdicts.look_times import LookTimes
from facewire_server.streams.verdicts.looks import Look
from facewire_server.streams.verdicts.rule import (
    Stance,
    is_concluded,
    of_looks,
    own_similarities,
    stance,
    turning_points,
)
from facewire_server.streams.verdicts.shown import LastDecision
from facewire_server.streams.verdicts.standing import Standing
from facewire_server.types import Candidate, Decision, Outcome, Rgb, TrackReason, TrackState

__all__ = ["Verdict"]


class Verdict:
    """What is known about the person of one track.

    The caller adds looks, searches the gallery with `probe` and passes the decision to `judge`; so it does after the
    gallery changed, without a new look. Times are seconds of the stream's own clock, which never goes back.
    """

    def __init__(self) -> None:
        """Starts without evidence. The first `judge` begins the verdict."""
        self._state: TrackState | None = None
        self._evidence = Evidence()
        self._standing = Standing()
        self._last = LastDecision()
        self._times = LookTimes()
        self._searched_sequence = 0

    @classmethod
    def restored(cls, standing: Decision | None) -> "Verdict":
        """Returns the verdict of a track that a resumed stream carries on; no look of it is kept.

        Args:
            standing: as the property; its name is held back until the face was looked at again. None = it was open.
        """
        verdict = cls()
        verdict._state = TrackState.TENTATIVE if standing is None else TrackState.CONFIRMED
        verdict._standing = Standing(standing)
        verdict._last = LastDecision(standing)
        verdict._evidence.is_held = True
        return verdict

    @property
    def state(self) -> TrackState | None:
        """The state; None until the first `judge`."""
        return self._state

    @property
    def standing(self) -> Decision | None:
        """The decision that is confirmed: KNOWN, UNKNOWN or AMBIGUOUS; None while the verdict is open."""
        return self._standing.decision

    @property
    def shown(self) -> Decision:
        """The present decision about the face: PENDING while the verdict is open or held, unless each look was TOO_POOR so far."""
        if self._evidence.is_held and self.standing:
            return self._last.blank
        return self.standing or self._last.open

    @property
    def probe(self) -> NDArray[np.float32] | None:
        """What to search the gallery with: (d,) float32 of unit length; None without a good look."""
        return self._evidence.searched.mean()

    @property
    def looks_mean(self) -> NDArray[np.float32] | None:
        """The mean of the looks whose direction is `probe`: (d,) float32, not of unit length; None without a good look."""
        probe = self.probe
        return None if probe is None else np.float32(self._evidence.searched.cohesion) * probe

    @property
    def inexact(self) -> tuple[Look, ...]:
        """The looks in `probe` that were not embedded in float32."""
        return self._evidence.searched.inexact

    @property
    def evidence_sequence(self) -> int:
        """The frame of the last look that was searched; 0 = none yet."""
        return self._searched_sequence

    def wants_look(self, at_s: float, *, inter_eye_px: float) -> bool:
        """Whether the face should be embedded now, for the verdict's sake.

        Args:
            at_s: the time of the frame.
            inter_eye_px: distance of the eyes in it.
        """
        evidence = self._evidence
        in_doubt = evidence.is_held or evidence.is_doubted or self._standing.is_weak
        return self._times.is_due(
            at_s,
            is_settled=self.standing is not None and not in_doubt,
            inter_eye_px=inter_eye_px,
            largest_px=evidence.largest_inter_eye_px,
        )

    def add_look(
        self,
        at_s: float,
        sequence: int,
        embedding: NDArray[np.float32],
        *,
        inter_eye_px: float,
        crop: Rgb | None = None,
    ) -> bool:
        """Adds a look without a fault of quality. One that is too soon after the last counts for nothing.

        Args:
            at_s: the time of the frame.
            sequence: of the frame.
            embedding: (d,) float32 of unit length.
            inter_eye_px: distance of the eyes in the picture.
            crop: of the face, if it was not embedded in float32; kept as long as the look, for `put_exact`.

        Returns:
            Whether `probe` changed, so that a search is due.
        """
        self._check_not_ended()
        self._times.tried(at_s)
        look = Look(at_s, sequence, embedding, inter_eye_px, crop)
        return self._evidence.add(look, is_named=self._standing.has_name)

    def put_exact(self, look: Look, embedding: NDArray[np.float32]) -> None:
        """Puts an embedding in float32 in place of that of one of the `inexact` looks; `probe` is another one then."""
        self._evidence.searched.put_exact(look, embedding)

    def judge(self, at_s: float, decision: Decision) -> tuple[Change, ...]:
        """Takes the decision of a search with `probe`, or that the face is TOO_POOR to be compared.

        Args:
            at_s: the time of the frame.
            decision: of `pipeline.match.decisions`.

        Returns:
            What changed, in order: at most that the verdict began, or that one was retracted, and then that one was confirmed.
        """
        self._check_not_ended()
        began = self._state is None
        if began:
            self._state = TrackState.TENTATIVE
        if decision.outcome is Outcome.TOO_POOR:
            self._times.tried(at_s)
            self._last.take(decision, is_kept=not self._evidence.searched)
            changes: list[Change] = []
        else:
            changes = self._weigh(decision)
        if began:
            first = Change(TrackState.TENTATIVE, TrackReason.APPEARED, self._last.open)
            changes.insert(0, first)
        return tuple(changes)

    def own_similarities(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Returns the candidates that a search with `probe` found, with the similarities by which `judge` decides."""
        return own_similarities(candidates, self._evidence.searched)

    def turning_points(self) -> tuple[float, ...]:
        """Returns the leads (`Candidate.lead`) at which `judge` decides otherwise."""
        return turning_points(self.standing, self._evidence.searched)

    def hold(self) -> None:
        """Holds the name back until the face was looked at again: it may have become another person's."""
        self._check_not_ended()
        self._evidence.is_held = True

    def revoke(self) -> Change | None:
        """Retracts what is confirmed about a face without a `probe`: the gallery lacks the identity now, and no search can show it.

        Returns:
            None if nothing was confirmed.
        """
        self._check_not_ended()
        self._last.decision = None
        return self._retract(TrackReason.GALLERY_CHANGED) if self.standing else None

    def end(self, reason: TrackReason) -> Change | None:
        """Ends the verdict; it takes nothing after that.

        Args:
            reason: LOST or STREAM_ENDED.

        Returns:
            The change, with the decision that is confirmed, or else the last one; with an open one if the name is held back. None if the
            verdict never began.
        """
        self._check_not_ended()
        has_begun = self._state is not None
        self._state = TrackState.ENDED
        last = self.standing or self._last.decision or self._last.blank
        if self._evidence.is_held and last.outcome is not Outcome.TOO_POOR:
            last = self._last.blank
        return Change(TrackState.ENDED, reason, last) if has_begun else None

    def _check_not_ended(self) -> None:
        if self._state is TrackState.ENDED:
            raise RuntimeError("the verdict has ended")

    def _weigh(self, decision: Decision) -> list[Change]:
        looks = self._evidence.searched
        if not looks.newest:
            raise ValueError("a search needs a probe")
        decision = of_looks(decision, looks)
        before = self._last.decision or self.standing or decision
        has_moved = before.gallery_revision != decision.gallery_revision
        is_new = self._searched_sequence != looks.newest.sequence
        self._searched_sequence = looks.newest.sequence
        self._last.take(decision)
        # Looks from before the face was held back confirm nothing after it.
        may_confirm = is_new or not self._evidence.is_held
        changes = []
        if self.standing:
            unproven = self._evidence.is_unproven
            said = stance(self.standing, decision, before, is_unproven=unproven)
            if said is Stance.FOR and may_confirm:
                self._evidence.accept()
            if self._standing.is_revoked_by(said, looks.newest.at_s):
                cause = self._cause(has_moved=has_moved)
                self._evidence.start_again(is_looked_at=may_confirm)
                changes.append(self._retract(cause))
        was_unknown = not has_moved and self._standing.is_unknown
        if may_confirm and is_concluded(decision, looks, was_unknown=was_unknown):
            reason = TrackReason.EVIDENCE if is_new else TrackReason.GALLERY_CHANGED
            changes += self._confirm(decision, reason)
        return changes

    def _cause(self, *, has_moved: bool) -> TrackReason:
        """Returns why a name is retracted: of a face that was held back, and does not resemble the one before, SWAPPED."""
        if self._evidence.is_unproven:
            return TrackReason.SWAPPED
        return TrackReason.GALLERY_CHANGED if has_moved else TrackReason.EVIDENCE

    def _confirm(self, decision: Decision, reason: TrackReason) -> list[Change]:
        is_same = self._standing.agrees_with(decision)
        if self._standing.has_name and not is_same:
            return []  # its name stands
        self._standing.decision = decision
        self._state = TrackState.CONFIRMED
        self._evidence.is_held = False
        return [] if is_same else [Change(TrackState.CONFIRMED, reason, decision)]

    def _retract(self, reason: TrackReason) -> Change:
        name = self._standing.withdraw()
        self._state = TrackState.RETRACTED
        return Change(TrackState.RETRACTED, reason, self._last.open, name)
