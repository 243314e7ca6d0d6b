"""Names, with each new template, another identity that it matches: one person under two ids, or one picture."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from facewire_server.galleries.ids import are_one_id
from facewire_server.galleries.records import Enrollment, EnrollmentResult, SearchResult
from facewire_server.types import Candidate, DecisionPolicy

__all__ = ["NEAREST_IDENTITIES", "with_similar"]

NEAREST_IDENTITIES: Final = 2
"""Identities that a search must find for each new template: its own may be among the nearest, and another one."""


def with_similar(
    enrollment: Enrollment, found: SearchResult, identity_id: str, policy: DecisionPolicy
) -> Enrollment:
    """Returns the enrollment with the similar identity of each accepted picture.

    The threshold is the one in force after the enrollment: with it the next probe is decided.

    Args:
        enrollment: as committed.
        found: for each accepted picture the nearest identities, `NEAREST_IDENTITIES` of them, before the commit.
        identity_id: who was enrolled.
        policy: of a request that sets none.
    """
    threshold = policy.threshold_among(enrollment.identity_count, enrollment.pairs).value
    others = (_other(candidates, identity_id, threshold) for candidates in found.candidates)
    return replace(enrollment, results=tuple(_marked(enrollment.results, others)))


def _other(
    candidates: tuple[Candidate, ...], identity_id: str, threshold: float
) -> Candidate | None:
    for candidate in candidates:
        if candidate.similarity >= threshold and not are_one_id(candidate.identity_id, identity_id):
            return candidate
    return None


def _marked(
    results: tuple[EnrollmentResult, ...], others: Iterator[Candidate | None]
) -> Iterator[EnrollmentResult]:
    for result in results:
        other = next(others, None) if result.template_id else None
        if other is None:
            yield result
        else:
            yield replace(
                result,
                similar_identity_id=other.identity_id,
                similar_identity_similarity=other.similarity,
            )
