"""The exact vector engine: a scan over all blocks, with products in float32 and ties in float64.

A stored number is not believed: a product that no two unit vectors have, and a row that may be among the best and is
not of unit length, are damage of the storage, and then there is no answer.

The products say which rows may be among the best. Their last bits depend on how the library
sums, which differs with a row's place in its block and with the number of probes; so the
similarity of each row that may be among the best is computed again, in double precision and rounded
to float32. The same probe and the same template therefore always have the same similarity,
and equal templates are truly equal.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from facewire_server.errors import GalleryDamaged
from facewire_server.galleries.embeddings import are_unit
from facewire_server.galleries.vector_search import GalleryVectors, Hit, VectorBlock

__all__ = ["ExactSearch", "similarities"]

_CHUNK_ROWS = 32768
"""Rows scored before their scores are compared, 1 MiB of scores for eight probes. Half as many and twice as many cost the
same, measured with a million rows."""

_TILE_SCORES = 512
"""Scores that are compared with as many others at once. Chosen, not measured."""

_MOST_PRODUCT = 1.01
"""Above the product of any two embeddings, whose norms differ from 1 by less than 1e-3. Chosen, not measured."""

_LEAST_ROWS_LOOKED_AT = 16
"""Rows of a chunk that are compared one by one before the best of them raise the floor. Chosen, not measured."""


class ExactSearch:
    """Looks at every vector of the gallery once per search, whatever the number of probes.

    Keeps nothing between searches. See `facewire_server.galleries.vector_search.VectorSearch`.
    """

    def __init__(self) -> None:
        """Limits numpy's BLAS library to one thread: searches run concurrently already.

        Process-wide, once: setting it per search costs more than the search.
        """
        threadpool_limits(1, user_api="blas")

    def nearest(
        self, vectors: GalleryVectors, probes: NDArray[np.float32], k: int
    ) -> list[dict[int, Hit]]:
        """See the port."""
        # Damaged numbers overflow; they are found by what comes of them.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._nearest(vectors, probes, k)

    def _nearest(
        self, vectors: GalleryVectors, probes: NDArray[np.float32], k: int
    ) -> list[dict[int, Hit]]:
        leaders = [_Leaders(probe, k, vectors.rows_per_block) for probe in probes]
        # Several blocks are scored before any score is compared, so that the few Python calls for each probe do not
        # dominate. The first block is compared alone: it raises the floors, above which few of the later rows lie.
        columns = np.ascontiguousarray(probes.T)
        most_rows = max(vectors.rows_per_block, _CHUNK_ROWS)
        scores = np.empty((most_rows, len(probes)), np.float32)
        chunk: list[VectorBlock] = []
        end, limit = 0, vectors.rows_per_block
        for block in vectors:
            rows = block.vectors
            if end + len(rows) > limit:
                _compare(leaders, scores[:end], chunk)
                chunk.clear()
                end, limit = 0, most_rows
            start, end = end, end + len(rows)
            np.dot(rows, columns, out=scores[start:end])
            chunk.append(block)
        if chunk:
            _compare(leaders, scores[:end], chunk)
        return [leader.best for leader in leaders]


def _compare(
    leaders: "list[_Leaders]", scores: NDArray[np.float32], chunk: Sequence[VectorBlock]
) -> None:
    """Considers every row of a chunk for every probe.

    Raises:
        GalleryDamaged: a score cannot be.
    """
    if not leaders:
        return
    highest = _highest(scores)
    # Written so that a NaN, which compares with nothing, fails, too.
    if not ((highest <= _MOST_PRODUCT).all() and scores.min() >= -_MOST_PRODUCT):
        raise GalleryDamaged("the gallery's storage is damaged: a similarity cannot be")
    for place, (leader, best) in enumerate(zip(leaders, highest.tolist(), strict=True)):
        if best >= leader.floor:
            leader.offer(scores[:, place], chunk)


def _highest(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the highest score of each column, (n,); NaN if it has one.

    Compares many rows with many rows: numpy takes five times as long for columns of a few numbers.
    """
    count = scores.shape[1]
    tile = max(1, _TILE_SCORES // count)
    whole = len(scores) - len(scores) % tile
    highest: NDArray[np.float32] = scores[whole:].max(axis=0, initial=-np.inf)
    if whole:
        tiles = scores[:whole].reshape(-1, tile * count).max(axis=0)
        highest = np.maximum(highest, tiles.reshape(tile, count).max(axis=0))
    return highest


def similarities(vectors: NDArray[np.float32], probe: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the cosine similarity of each unit row (m, d) to a unit probe (d,): (m,) float32, rounded once."""
    products = vectors.astype(np.float64) * probe
    return np.asarray(products.sum(axis=1), np.float32)


class _Leaders:
    """The best identities seen so far for one probe.

    Attributes:
        floor: a row whose score is below it is not among them.
        best: by identity number.
    """

    def __init__(self, probe: NDArray[np.float32], k: int, block_rows: int) -> None:
        self._probe = probe
        self._k = k
        self._block_rows = block_rows
        # Twice the bound on the rounding error of a float32 dot product of unit vectors in any
        # order of summation, d * 2**-24 (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
        self._margin = (len(probe) + 2) * 2.0**-23
        self.floor = -np.inf
        self.best: dict[int, Hit] = {}

    def offer(self, scores: NDArray[np.float32], chunk: Sequence[VectorBlock]) -> None:
        """Considers every row of a chunk whose score is at or above the floor."""
        rows = np.flatnonzero(scores >= self.floor)
        most = max(_LEAST_ROWS_LOOKED_AT, 2 * self._k)
        while len(rows) > most:
            # Too many: the best of them raise the floor first.
            order = np.argpartition(scores[rows], -most)
            self._take(rows[order[-most:]], chunk)
            rows = rows[order[:-most]]
            rows = rows[scores[rows] >= self.floor]
            most *= 4
        if len(rows):
            self._take(rows, chunk)

    def _take(self, rows: NDArray[np.intp], chunk: Sequence[VectorBlock]) -> None:
        # The scores only selected these rows; their similarities are computed again, independent of their place.
        places = [divmod(row, self._block_rows) for row in rows.tolist()]
        vectors = np.array([chunk[block].vectors[offset] for block, offset in places])
        if not are_unit(vectors).all():
            raise GalleryDamaged("the gallery's storage is damaged: a vector is not of unit length")
        for (block, offset), similarity in zip(
            places, similarities(vectors, self._probe).tolist(), strict=True
        ):
            identity_number, template_number = chunk[block].owner(offset)
            best = self.best.get(identity_number)
            if best is None or (best.similarity, -best.template_number) < (
                similarity,
                -template_number,
            ):
                self.best[identity_number] = Hit(similarity, template_number)
        if len(self.best) >= self._k:
            # Ties with the k-th stay: their order is decided later, by identity id.
            lowest = sorted(hit.similarity for hit in self.best.values())[-self._k]
            self.best = {n: hit for n, hit in self.best.items() if hit.similarity >= lowest}
            self.floor = lowest - self._margin
