"""How many decisions about embeddings that are not exact differ from the exact ones, and how many do after `is_near`."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.embed import FrameError
from facewire_server.pipeline.gate import Gate
from facewire_server.pipeline.match import candidates_needed, decisions
from facewire_server.pipeline.near import is_near
from facewire_server.types import Candidate, Decision, DecisionPolicy, Quality, QualityFault

__all__ = ["DRAWS", "Agreement", "Embedded", "decision_agreement", "fault_agreement"]

DRAWS: Final = 20
"""Galleries of one size. Chosen, not measured: enough for some hundred decisions that differ."""

_GOOD: Final = Quality(30.0, 100.0, 120.0, 50.0)
"""A face in whose crop no gate finds a fault, so that only its embedding counts."""


class Embedded(NamedTuple):
    """(n, d) and (n,) of n crops: as frames, exactly, and as templates."""

    frames: NDArray[np.float32]
    frame_norms: NDArray[np.float32]
    exact: NDArray[np.float32]
    exact_norms: NDArray[np.float32]
    templates: NDArray[np.float32]


class Agreement(NamedTuple):
    """Decisions, or faults, of embeddings that are not exact, beside the exact ones.

    Attributes:
        looks: number of decisions.
        differ: that differ from the exact ones, in bfloat16.
        again: that were near, and made again.
        remain: that differ from the exact ones after that.
    """

    looks: int
    differ: int
    again: int
    remain: int


def decision_agreement(
    embedded: Embedded,
    people: Sequence[Sequence[int]],
    size: int,
    policy: DecisionPolicy,
    error: FrameError,
) -> Agreement:
    """Compares decisions in drawn galleries, one template a person; every other crop is a probe.

    Args:
        embedded: the crops.
        people: the rows of each person's crops.
        size: people of a gallery.
        policy: that decides.
        error: that `is_near` is asked with.
    """
    draw = np.random.default_rng(size)
    looks = differ = again = remain = 0
    for _ in range(DRAWS):
        enrolled = draw.choice(len(people), size, replace=False)
        rows = np.array([people[person][0] for person in enrolled])
        probes = np.setdiff1d(np.arange(len(embedded.exact)), rows)
        exact, _ = _decided(embedded.exact[probes], embedded.templates[rows], rows, policy)
        quick, found = _decided(embedded.frames[probes], embedded.templates[rows], rows, policy)
        for right, first, candidates in zip(exact, quick, found.candidates, strict=True):
            near = is_near(first, candidates, policy, error.similarity)
            is_same = _concluded(first) == _concluded(right)
            looks += 1
            differ += not is_same
            again += near
            remain += not is_same and not near
    return Agreement(looks, differ, again, remain)


def _decided(
    probes: NDArray[np.float32],
    templates: NDArray[np.float32],
    rows: NDArray[np.intp],
    policy: DecisionPolicy,
) -> tuple[list[Decision], SearchResult]:
    scores = probes @ templates.T
    best = np.argsort(-scores, axis=1, kind="stable")[:, : candidates_needed(policy)]
    candidates = tuple(
        tuple(Candidate(str(rows[at]), "", float(line[at]), "") for at in order)
        for line, order in zip(scores, best, strict=True)
    )
    found = SearchResult(1, candidates, len(rows))
    return decisions(found, np.ones(len(probes), np.bool_), policy), found


def _concluded(decision: Decision) -> tuple[object, ...]:
    between = frozenset(each.identity_id for each in decision.ambiguous_between)
    return decision.outcome, decision.identity and decision.identity.identity_id, between


def fault_agreement(gate: Gate, embedded: Embedded, error: FrameError) -> Agreement:
    """Compares the faults that the gate finds in norm and embedding of each crop."""
    differ = again = remain = 0
    for frame, norm, exact, exact_norm in zip(
        embedded.frames, embedded.frame_norms, embedded.exact, embedded.exact_norms, strict=True
    ):
        near = gate.is_near(
            float(norm), frame, similarity_error=error.similarity, norm_error=error.norm
        )
        is_same = _faults(gate, frame, float(norm)) == _faults(gate, exact, float(exact_norm))
        differ += not is_same
        again += near
        remain += not is_same and not near
    return Agreement(len(embedded.frames), differ, again, remain)


def _faults(gate: Gate, embedding: NDArray[np.float32], norm: float) -> tuple[QualityFault, ...]:
    return gate.examine(_GOOD, norm=norm, embedding=embedding).quality.faults
