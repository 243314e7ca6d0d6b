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

_CHUNK_SCORES = 1 << 20
"""Scores of a chunk of rows, 4 MiB, which are compared together. With more, the processor's cache holds no chunk; with fewer, more
chunks have one of the best rows, and are searched for it. Chosen, not measured."""

_GROUPS = 256
"""Groups of a chunk's rows, whose best scores say which rows are taken first. Chosen, not measured."""

_SPARE_ROWS = 2
"""Rows of a chunk taken beyond the k wanted: a person may have two means. Chosen, not measured."""

_MOST_TAKEN = 4096
"""Rows whose similarities are computed at once, 16 MiB for 512 numbers. Chosen, not measured."""

_MOST_PRODUCT = 1.01
"""Above the product of any two embeddings, whose norms differ from 1 by less than 1e-3. Chosen, not measured."""


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
        if not len(probes):
            return []
        # Damaged numbers overflow; they are found by what comes of them.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._nearest(vectors, probes, k)

    def _nearest(
        self, vectors: GalleryVectors, probes: NDArray[np.float32], k: int
    ) -> list[dict[int, Hit]]:
        leaders = _Leaders(probes, k, vectors.rows_per_block)
        columns = np.ascontiguousarray(probes.T)
        blocks = list(vectors)
        # Several blocks are scored before any score is compared, so that the Python calls for each chunk do not dominate.
        at_once = max(1, _CHUNK_SCORES // (vectors.rows_per_block * len(probes)))
        most_rows = vectors.rows_per_block * min(at_once, len(blocks))
        scores = np.empty((most_rows + _GROUPS, len(probes)), np.float32)
        for first in range(0, len(blocks), at_once):
            chunk = blocks[first : first + at_once]
            end = 0
            for block in chunk:
                start, end = end, end + len(block.vectors)
                np.dot(block.vectors, columns, out=scores[start:end])
            places = -(-end // _GROUPS) * _GROUPS
            scores[end:places] = -np.inf
            leaders.offer(scores[:places], end, chunk, first * vectors.rows_per_block)
        return leaders.best


def similarities(vectors: NDArray[np.float32], probes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the cosine similarities of unit rows (m, d) to one unit probe (d,) or one for each (m, d): (m,) float32, rounded once."""
    products = vectors.astype(np.float64) * probes
    return np.asarray(products.sum(axis=1), np.float32)


class _Leaders:
    """The best identities seen so far for each probe.

    Attributes:
        best: for each probe, by identity number.
    """

    def __init__(self, probes: NDArray[np.float32], k: int, block_rows: int) -> None:
        self._probes = probes
        self._k = k
        self._block_rows = block_rows
        # Twice the bound on the rounding error of a float32 dot product of unit vectors in any
        # order of summation, d * 2**-24 (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
        self._margin = (probes.shape[1] + 2) * 2.0**-23
        # A row whose score is below its probe's floor is not among the best.
        self._floors = np.full(len(probes), -np.inf, np.float32)
        self.best: list[dict[int, Hit]] = [{} for _ in probes]

    def offer(
        self, scores: NDArray[np.float32], count: int, chunk: Sequence[VectorBlock], first_row: int
    ) -> None:
        """Considers every row of a chunk for every probe.

        Args:
            scores: (a multiple of `_GROUPS`, probes), contiguous; minus infinity behind the last row.
            count: of the chunk's rows.
            chunk: their blocks.
            first_row: the first one's number among all rows of the gallery.

        Raises:
            GalleryDamaged: a score cannot be, or a vector is not of unit length.
        """
        # As few long rows: numpy takes five times as long for columns of a few numbers.
        wide = scores.reshape(-1, scores.shape[1] * _GROUPS)
        groups = wide.max(axis=0).reshape(_GROUPS, -1)
        highest = groups.max(axis=0)
        # Written so that a NaN, which compares with nothing, fails, too.
        if not ((highest <= _MOST_PRODUCT).all() and scores[:count].min() >= -_MOST_PRODUCT):
            raise GalleryDamaged("the gallery's storage is damaged: a similarity cannot be")
        if not (highest >= self._floors).any():
            return
        groups.sort(axis=0)
        # As many groups as rows are wanted reach the score `least`, hence as many rows, and few more.
        wanted, above = self._k + _SPARE_ROWS, None
        while True:
            least = self._floors
            if wanted <= _GROUPS:
                least = np.maximum(least, groups[-wanted])
            is_taken = wide >= np.tile(least, _GROUPS)
            if above is not None:
                is_taken &= wide < np.tile(above, _GROUPS)
            places = np.flatnonzero(is_taken.reshape(scores.shape)[:count])
            for start in range(0, len(places), _MOST_TAKEN):
                self._take(places[start : start + _MOST_TAKEN], chunk, first_row)
            # If the floor is still below, it is that of many rows of few people: more are taken.
            if (self._floors >= least).all():
                return
            wanted, above = 4 * wanted, least

    def _take(self, places: NDArray[np.intp], chunk: Sequence[VectorBlock], first_row: int) -> None:
        # The scores only selected these rows; their similarities are computed again, independent of their place.
        rows, columns = np.divmod(places, len(self._probes))
        found = [divmod(row, self._block_rows) for row in rows.tolist()]
        vectors = np.concatenate([chunk[block].vectors[offset] for block, offset in found])
        vectors = vectors.reshape(len(found), -1)
        if not are_unit(vectors).all():
            raise GalleryDamaged("the gallery's storage is damaged: a vector is not of unit length")
        owners = np.concatenate([chunk[block].owners[offset] for block, offset in found])
        for column, row, (identity_number, template_number), similarity in zip(
            columns.tolist(),
            rows.tolist(),
            owners.reshape(-1, 2).tolist(),
            similarities(vectors, self._probes[columns]).tolist(),
            strict=True,
        ):
            best = self.best[column]
            held = best.get(identity_number)
            if held is None or (held.similarity, -held.template_number) < (
                similarity,
                -template_number,
            ):
                best[identity_number] = Hit(similarity, template_number, first_row + row)
        for column in set(columns.tolist()):
            best = self.best[column]
            if len(best) >= self._k:
                # Ties with the k-th stay: their order is decided later, by identity id.
                lowest = sorted(hit.similarity for hit in best.values())[-self._k]
                self.best[column] = {n: hit for n, hit in best.items() if hit.similarity >= lowest}
                self._floors[column] = lowest - self._margin
