"""Which face continues which track, with embeddings where geometry leaves a choice."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.streams.tracks.appearance import AGREES, CONTRADICTS, CONTRADICTS_AFTER_DOUBT
from facewire_server.streams.tracks.assignment import assigned
from facewire_server.streams.tracks.links import Links
from facewire_server.streams.tracks.track import Track
from facewire_server.streams.tracks.values import Proposal

__all__ = ["Pair", "Question", "are_clear", "chosen"]

Pair = tuple[int, int]
"""Row of the proposal's tracks, and row of its faces."""

_UNKNOWN_SIMILARITY: Final = AGREES
"""Cosine that a pair counts with if one of the two is not embedded: as if it just agreed. Chosen, not measured."""

_APPEARANCE_WEIGHT: Final = 3.0
"""Cost of a cosine of 0 instead of 1; the farthest possible place costs 1. Measured on made scenes: with 1
more faces of about 5 frames/s were joined to another person's track, their names held back (12 for 10)."""

_MOST_UNDECIDED: Final = 3
"""After this many embeddings in a row that neither agree nor contradict, a track that is not sure continues only with one that agrees:
whoever is there now gets another one, which can have a name. Chosen, not measured."""

_CLEAR: Final = 0.1
"""Cosine by which a face must be more similar to its track than to any other that it may continue. Chosen, not measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Question(Proposal):
    """A proposal with what the tracker needs when the embeddings have come.

    Attributes:
        at_s: time of the frame.
        boxes: (n, 4) float64.
        same_as: (n,) intp, the row itself, or of a double the better row.
        tracks: the t tracks that may continue.
        links: of these tracks and faces.
    """

    at_s: float
    boxes: NDArray[np.float64]
    same_as: NDArray[np.intp]
    tracks: tuple[Track, ...]
    links: Links


def chosen(
    question: Question,
    alike: NDArray[np.float64],
    embedded: Collection[int],
    is_alive: NDArray[np.bool_],
) -> list[Pair]:
    """Pairs tracks and faces.

    A face that geometry is certain of, and that was not embedded, continues its track. All others are assigned together: a pair
    must be possible and not contradicted by the embedding, or the embedding must agree, wherever the two are.

    Args:
        question: of t tracks and n faces.
        alike: (t, n) float64 cosines, NaN = unknown.
        embedded: rows that have an embedding.
        is_alive: (t,) bool, tracks that have not ended since the proposal.
    """
    off, possible, safe = question.links
    fixed = [
        (int(index), row)
        for row, index in enumerate(safe)
        if index >= 0 and row not in embedded and is_alive[index]
    ]
    rest = ~question.is_double
    rest[[row for _, row in fixed]] = False
    if not rest.any():
        return fixed
    agrees = alike >= AGREES
    is_safe = safe[None] == np.arange(len(alike))[:, None]
    denied = alike < np.where(is_safe, CONTRADICTS, CONTRADICTS_AFTER_DOUBT)
    is_doubtful = np.array([t.undecided >= _MOST_UNDECIDED for t in question.tracks], np.bool_)
    denied |= is_doubtful[:, None] & ~np.isnan(alike) & ~agrees
    allowed = ((possible & ~denied) | agrees) & is_alive[:, None] & rest[None]
    allowed[[index for index, _ in fixed]] = False
    similarity = np.where(np.isnan(alike), _UNKNOWN_SIMILARITY, alike)
    costs = off.clip(max=1) + _APPEARANCE_WEIGHT * (1 - similarity).clip(0)
    columns = assigned(costs, allowed)
    return fixed + [(index, int(row)) for index, row in enumerate(columns) if row >= 0]


def are_clear(
    alike: NDArray[np.float64], indices: list[int], rows: list[int], others: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Returns (k,): which of k faces are more similar to their tracks than to each of some other tracks, by far.

    Args:
        alike: (t, n) float64 cosines, NaN = unknown.
        indices: of the k tracks.
        rows: of their faces.
        others: (t,) bool, none of `indices`.
    """
    rivals = np.fmax.reduce(alike[others][:, rows], axis=0, initial=-1.0)
    clear: NDArray[np.bool_] = rivals <= alike[indices, rows] - _CLEAR
    return clear
