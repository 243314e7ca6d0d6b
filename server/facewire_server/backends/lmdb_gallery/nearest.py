"""Exact search: the identities most similar to each probe, from products over the blocks.

The products say which rows may be among the best. Their last bits depend on how the library
sums, which differs with a row's place in its block and with the number of probes; so the
similarity of each row that may be among the best is computed anew, in double precision and rounded
to float32. The same probe and the same template therefore always have the same similarity,
and equal templates are truly equal.
"""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery.blocks import Block, Blocks

__all__ = ["Hit", "nearest", "similarities"]

_CHUNK_ROWS = 16384
"""Scores of a chunk stay in the processor's cache until they were looked at."""


class Hit(NamedTuple):
    """An identity's best template; compares as better where it is greater."""

    similarity: float
    minus_template_number: int


def similarities(vectors: NDArray[np.float32], probe: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine similarity of each unit row (m, d) to a unit probe (d,): (m,) float32, rounded once."""
    products = vectors.astype(np.float64) * probe
    return np.asarray(products.sum(axis=1), np.float32)


def nearest(blocks: Blocks, probes: NDArray[np.float32], k: int) -> list[dict[int, Hit]]:
    """Finds the k best identities of each probe, and those that equal the k-th.

    Args:
        blocks: of the gallery.
        probes: (n, d) float32 unit rows.
        k: >= 1.

    Returns:
        For each probe, by identity number: its most similar template, of equal ones the oldest.
    """
    layout = blocks.layout
    leaders = [_Leaders(probe, k, layout.rows) for probe in probes]
    columns = np.ascontiguousarray(probes.T)
    chunk_blocks = max(1, _CHUNK_ROWS // layout.rows)
    scores = np.empty((chunk_blocks * layout.rows, len(probes)), np.float32)
    chunk: list[Block] = []
    end = 0

    def look() -> None:
        for leader, column in zip(leaders, np.ascontiguousarray(scores[:end].T), strict=True):
            leader.offer(column, chunk)

    for block in blocks:
        if len(chunk) == chunk_blocks:
            look()
            chunk.clear()
            end = 0
        start, end = end, end + len(block.vectors)
        np.dot(block.vectors, columns, out=scores[start:end])
        chunk.append(block)
    if chunk:
        look()
    return [leader.best for leader in leaders]


class _Leaders:
    """The best identities seen so far for one probe."""

    def __init__(self, probe: NDArray[np.float32], k: int, block_rows: int) -> None:
        self._probe = probe
        self._k = k
        self._block_rows = block_rows
        # Twice the bound on the rounding error of a float32 dot product of unit vectors in any
        # order of summation, d * 2**-24 (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
        self._margin = (len(probe) + 2) * 2.0**-23
        self._floor = -np.inf
        self.best: dict[int, Hit] = {}

    def offer(self, scores: NDArray[np.float32], chunk: Sequence[Block]) -> None:
        """Looks at the scores of a chunk: takes in every row at or above the floor."""
        if scores.max() < self._floor:
            return
        most = max(16, 2 * self._k)
        while True:
            rows = np.flatnonzero(scores >= self._floor)
            if len(rows) <= most:
                self._take(rows, chunk)
                return
            # Too many: the best of them raise the floor first.
            self._take(rows[np.argpartition(scores[rows], -most)[-most:]], chunk)
            most *= 4

    def _take(self, rows: NDArray[np.intp], chunk: Sequence[Block]) -> None:
        if not len(rows):
            return
        places = [divmod(row, self._block_rows) for row in rows.tolist()]
        vectors = np.stack([chunk[block].vectors[offset] for block, offset in places])
        for (block, offset), similarity in zip(
            places, similarities(vectors, self._probe).tolist(), strict=True
        ):
            identity_number, template_number = chunk[block].header(offset)
            hit = Hit(similarity, -template_number)
            if hit > self.best.get(identity_number, _NONE):
                self.best[identity_number] = hit
        if len(self.best) >= self._k:
            lowest = heapq.nlargest(self._k, self.best.values())[-1].similarity
            self.best = {n: hit for n, hit in self.best.items() if hit.similarity >= lowest}
            self._floor = lowest - self._margin


_NONE = Hit(-np.inf, 0)
