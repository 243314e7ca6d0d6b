"""What holds for every verdict: over random looks, of random people, before a gallery that changes."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.match import decisions
from facewire_server.streams.verdicts import Change, Verdict
from facewire_server.types import (
    Candidate,
    DecisionPolicy,
    Outcome,
    TrackReason,
    TrackState,
)

POLICY = DecisionPolicy(threshold=0.45, min_margin=0.03, min_inter_eye_px=8.0)
GAP_S = 0.3
MAX_LOOKS = 5
DIMENSIONS = 6
PEOPLE = ("anna", "bert", "carl")

FACES = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSIONS, DIMENSIONS)))[0]
"""A direction for each person; the others are of strangers."""


@dataclass
class Step:
    """What happens at a moment: a look at a face, or something else."""

    kind: str
    wait_s: float
    face: int
    noise: float
    seed: int
    name: str


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["look"] * 6 + ["poor", "hold", "enroll", "delete", "search"]),
        wait_s=st.sampled_from([1 / 30, 0.1, 0.2, 0.3, 0.4, 1.0, 5.0]),
        face=st.integers(0, len(PEOPLE)),
        noise=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
        seed=st.integers(0, 1000),
        name=st.sampled_from(PEOPLE),
    ),
    max_size=40,
)


@dataclass
class Watched:
    """A verdict and its gallery, and everything that was seen of them."""

    verdict: Verdict = field(default_factory=Verdict)
    enrolled: dict[str, np.ndarray] = field(default_factory=lambda: {"anna": FACES[0]})
    revision: int = 1
    at_s: float = 0.0
    changes: list[Change] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)

    def step(self, number, step):
        """Does what a stream does; returns the changes."""
        self.at_s += step.wait_s
        before = len(self.changes)
        if step.kind == "look":
            self.looks.append(self.at_s)
            noisy = FACES[step.face] + step.noise * np.random.default_rng(step.seed).normal(
                size=DIMENSIONS
            )
            embedding = (noisy / np.linalg.norm(noisy)).astype(np.float32)
            self.verdict.add_look(self.at_s, number, embedding, inter_eye_px=30.0)
            self.search()
        elif step.kind == "poor":
            self.judge(decisions(self.found(()), np.zeros(1, np.bool_), POLICY)[0])
        elif step.kind == "hold":
            self.verdict.hold()
        else:
            if step.kind == "enroll":
                self.enrolled[step.name] = FACES[step.face]  # perhaps of another who is enrolled
                self.revision += 1
            elif step.kind == "delete":
                self.revision += self.enrolled.pop(step.name, None) is not None
            self.search()
        return self.changes[before:]

    def search(self):
        probe = self.verdict.probe
        if probe is None:
            return
        scored = sorted(
            ((float(face @ probe), name) for name, face in self.enrolled.items()), reverse=True
        )
        best = tuple(Candidate(name, "", similarity, name) for similarity, name in scored[:2])
        (decision,) = decisions(self.found((best,)), np.ones(1, np.bool_), POLICY)
        self.judge(decision)

    def found(self, candidates):
        return SearchResult(self.revision, candidates, len(self.enrolled))

    def judge(self, decision):
        self.changes += self.verdict.judge(self.at_s, decision)


def watched_over(steps):
    watched = Watched()
    for number, step in enumerate(steps, 1):
        watched.step(number, step)
        yield watched


def named(decision):
    return decision.identity.identity_id if decision.identity else ""


@given(STEPS)
def test_no_name_follows_another_without_a_retraction(steps) -> None:
    watched = [Watched(), *watched_over(steps)][-1]
    shown_last = named(watched.verdict.shown)  # "" also if the name is held back
    if ended := watched.verdict.end(TrackReason.LOST):
        watched.changes.append(ended)
    state, name = None, ""
    for change in watched.changes:
        if change.state is TrackState.TENTATIVE:
            assert state is None
            assert change.reason is TrackReason.APPEARED
        elif change.state is TrackState.CONFIRMED:
            assert state is not None
            assert not name, "retracted before another is confirmed"
            assert change.decision.outcome not in (Outcome.PENDING, Outcome.TOO_POOR)
            name = named(change.decision)
        elif change.state is TrackState.RETRACTED:
            assert state is TrackState.CONFIRMED
            assert change.previous_identity_id == name
            assert change.decision.outcome is Outcome.PENDING
            name = ""
        else:
            assert state not in (None, TrackState.ENDED)
            assert not name or named(change.decision) == shown_last
        if change.state is not TrackState.RETRACTED:
            assert not change.previous_identity_id
        state = change.state
    assert [change.state for change in watched.changes].count(TrackState.ENDED) <= 1


@given(STEPS)
def test_what_is_shown_was_announced(steps) -> None:
    name = ""
    seen = 0
    for watched in watched_over(steps):
        for change in watched.changes[seen:]:
            name = named(change.decision)
        seen = len(watched.changes)
        assert named(watched.verdict.shown) in ("", name)


@given(STEPS)
def test_a_held_face_shows_no_name_until_the_next_look(steps) -> None:
    is_held = False
    for watched, step in zip(watched_over(steps), steps, strict=True):
        is_held = step.kind == "hold" or (is_held and step.kind != "look")
        assert not (is_held and named(watched.verdict.shown))


@given(STEPS)
def test_looks_that_are_too_close_never_count_twice(steps) -> None:
    for watched in watched_over(steps):
        count = watched.verdict.shown.look_count
        apart, last_s = 0, -GAP_S
        for at_s in watched.looks:
            if at_s - last_s >= GAP_S - 1e-6:
                apart, last_s = apart + 1, at_s
        assert count <= min(MAX_LOOKS, apart)


@given(STEPS)
def test_the_probe_has_unit_length(steps) -> None:
    for watched in watched_over(steps):
        probe = watched.verdict.probe
        assert probe is None or abs(float(np.linalg.norm(probe)) - 1) < 1e-5
        assert probe is None or probe.dtype == np.float32


@given(STEPS)
def test_nothing_is_kept_of_a_person_who_was_deleted(steps) -> None:
    for watched, step in zip(watched_over(steps), steps, strict=True):
        if step.kind == "delete" and step.name not in watched.enrolled:
            held = repr({slot: getattr(watched.verdict, slot) for slot in vars(watched.verdict)})
            assert step.name not in held
            assert named(watched.verdict.shown) != step.name


@given(STEPS)
def test_the_same_looks_have_the_same_verdict(steps) -> None:
    runs = [list(watched_over(steps)) for _ in range(2)]
    assert runs[0][-1:] == [] or runs[0][-1].changes == runs[1][-1].changes
