"""One visit before one gallery: by a verdict, and frame by frame. No server, no clock: the rules alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.held_gallery import held
from bench.line_embeddings import Shot
from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import candidates_needed, decisions
from facewire_server.streams.verdicts import Change, Verdict
from facewire_server.types import (
    Candidate,
    Decision,
    DecisionPolicy,
    TrackReason,
    TrackState,
)

__all__ = ["Gallery", "Visit", "name_of", "visit"]


class Gallery:
    """Some people as the server holds and searches them: by their means, with a threshold that knows their pairs."""

    def __init__(
        self, people: Sequence[tuple[str, NDArray[np.float32]]], policy: DecisionPolicy
    ) -> None:
        """Takes each person's name and templates, (n, d) with n > 0, and when a face counts as recognized."""
        self._names = [name for name, _ in people]
        self._held = held([templates for _, templates in people])
        self._starts = np.searchsorted(self._held.owners, np.arange(len(people)))
        self._policy = policy

    @property
    def threshold(self) -> float:
        """Lowest similarity of a match."""
        return self._policy.threshold_among(len(self._names), self._held.pairs).value

    def decide(self, probes: NDArray[np.float32]) -> list[Decision]:
        """Decides about probes, (n, d) float32."""
        similarities = np.clip(probes @ self._held.means.T, -1.0, 1.0)
        by_person = np.maximum.reduceat(similarities, self._starts, axis=1)
        listed = min(candidates_needed(self._policy), len(self._names))
        best = np.argpartition(-by_person, listed - 1, axis=1)[:, :listed]
        candidates = tuple(
            tuple(
                sorted(
                    (Candidate(self._names[at], "", float(row[at]), "") for at in found),
                    key=lambda candidate: -candidate.similarity,
                )
            )
            for row, found in zip(by_person, best, strict=True)
        )
        found = SearchResult(1, candidates, len(self._names), self._held.pairs)
        return decisions(found, np.ones(len(probes), np.bool_), self._policy)


class Visit(NamedTuple):
    """What a visit came to.

    Attributes:
        frame_names: the name of each good look by itself; "" = none.
        names: those that the verdict confirmed, in order, and the one with which a verdict ended that confirmed nothing.
        looks_until_name: looks that the first confirmed name rested on; 0 without one.
        looks: good looks that were embedded.
        retractions: of a name.
        is_unknown: whether the person was confirmed as unknown.
        threshold: of the gallery.
    """

    frame_names: tuple[str, ...]
    names: tuple[str, ...]
    looks_until_name: int
    looks: int
    retractions: int
    is_unknown: bool
    threshold: float


def visit(shots: Sequence[Shot | None], interval_s: float, gallery: Gallery) -> Visit:
    """Shows the shots to a verdict, one each `interval_s`; it looks at those that it wants."""
    good = [shot for shot in shots if shot]
    if not good:
        return Visit((), (), 0, 0, 0, False, gallery.threshold)
    by_frame = tuple(map(name_of, gallery.decide(np.stack([shot.embedding for shot in good]))))
    verdict = Verdict()
    changes: list[Change] = []
    looks = looks_until_name = 0
    for sequence, shot in enumerate(shots, 1):
        at_s = sequence * interval_s
        if shot is None or not verdict.wants_look(at_s, inter_eye_px=shot.inter_eye_px):
            continue
        looks += 1
        if verdict.add_look(at_s, sequence, shot.embedding, inter_eye_px=shot.inter_eye_px):
            probe = verdict.probe
            assert probe is not None
            changes += verdict.judge(at_s, gallery.decide(probe[None])[0])
        if not looks_until_name and verdict.standing and name_of(verdict.standing):
            looks_until_name = looks
    ended = verdict.end(TrackReason.LOST)
    confirmed = [change for change in changes if change.state is TrackState.CONFIRMED]
    last = [ended] if ended and not confirmed else []
    names = tuple(name for each in [*confirmed, *last] if (name := name_of(each.decision)))
    return Visit(
        by_frame,
        names,
        looks_until_name,
        looks,
        sum(bool(change.previous_identity_id) for change in changes),
        any(not name_of(change.decision) for change in confirmed),
        gallery.threshold,
    )


def name_of(decision: Decision) -> str:
    """Returns the name that a decision states; "" = none."""
    return decision.identity.identity_id if decision.identity else ""
