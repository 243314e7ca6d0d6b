"""The exact engine misses no row and orders equal ones, as a plain look at every row does."""

import numpy as np
import pytest

from facewire_server.backends import exact_search as module
from facewire_server.backends.exact_search import ExactSearch, similarities
from facewire_server.backends.lmdb_gallery.blocks import BlockLayout
from facewire_server.galleries.vector_search import Hit, VectorBlock
from fakes.matrix_search import MatrixSearch

nearest = ExactSearch().nearest


class RamBlocks:
    """Blocks without a storage."""

    gallery_id, revision = "default", 1

    def __init__(self, vectors: np.ndarray, identities: np.ndarray, rows: int) -> None:
        self.layout = BlockLayout(vectors.shape[1], rows)
        self.rows_per_block = rows
        self._vectors, self._identities = vectors, identities

    def __iter__(self):
        for start in range(0, len(self._vectors), self.layout.rows):
            vectors = self._vectors[start : start + self.layout.rows]
            value = bytearray(self.layout.value_bytes)
            self.layout.vectors(value)[: len(vectors)] = vectors
            headers = self.layout.headers(value)[: len(vectors)]
            headers[:, 0] = self._identities[start : start + len(vectors)]
            headers[:, 1] = 1000 + start + np.arange(len(vectors))
            yield VectorBlock(self.layout.vectors(value)[: len(vectors)], headers)


def unit_rows(rng: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    rows = rng.standard_normal((count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def brute_force(vectors, identities, probe, k) -> dict[int, Hit]:
    """All identities that are among the k best or equal to the k-th."""
    best: dict[int, Hit] = {}
    for row, similarity in enumerate(similarities(vectors, probe).tolist()):
        hit = Hit(similarity, 1000 + row, row)
        held = best.get(int(identities[row]), hit)
        best[int(identities[row])] = hit if hit.similarity > held.similarity else held
    if len(best) <= k:
        return best
    lowest = sorted((hit.similarity for hit in best.values()), reverse=True)[k - 1]
    return {identity: hit for identity, hit in best.items() if hit.similarity >= lowest}


@pytest.mark.parametrize("probes", [1, 5])
@pytest.mark.parametrize("k", [1, 3, 40, 100_000])
@pytest.mark.parametrize(
    ("count", "people"), [(1, 1), (63, 5), (64, 64), (5000, 5000), (5000, 30), (5000, 1)]
)
@pytest.mark.parametrize("engine", [ExactSearch, MatrixSearch])
def test_agrees_with_looking_at_every_row(monkeypatch, engine, count, people, k, probes):
    monkeypatch.setattr(module, "_CHUNK_SCORES", 700)
    rng = np.random.default_rng(count + people + k)
    vectors = unit_rows(rng, count, 16)
    identities = rng.integers(0, people, count)
    wanted = unit_rows(rng, probes, 16)
    found = engine().nearest(RamBlocks(vectors, identities, 64), wanted, k)
    for one, probe in zip(found, wanted, strict=True):
        assert one == brute_force(vectors, identities, probe, k)


@pytest.mark.parametrize("order", ["rising", "falling"])
def test_agrees_when_the_rows_come_in_order_of_similarity(order):
    rng = np.random.default_rng(3)
    vectors = unit_rows(rng, 20_000, 16)
    probe = unit_rows(rng, 1, 16)
    ranks = np.argsort(vectors @ probe[0])
    vectors = vectors[ranks if order == "rising" else ranks[::-1]]
    identities = rng.integers(0, 300, len(vectors))
    (found,) = nearest(RamBlocks(vectors, identities, 256), probe, 5)
    assert found == brute_force(vectors, identities, probe[0], 5)


def test_equal_vectors_are_equally_similar_wherever_they_lie():
    rng = np.random.default_rng(4)
    vectors = unit_rows(rng, 9000, 128)
    places = rng.permutation(9000)[:200]
    vectors[places] = vectors[places[0]]
    for probes in (1, 2, 7):
        wanted = unit_rows(np.random.default_rng(5), probes, 128)
        wanted[0] = vectors[places[0]] + 0.05 * wanted[0]
        wanted[0] /= np.linalg.norm(wanted[0])
        found = nearest(RamBlocks(vectors, np.arange(9000), 63), wanted, 2)[0]
        assert set(found) == set(places.tolist())
        assert len({hit.similarity for hit in found.values()}) == 1


def test_no_row_is_lost_to_rounding():
    """Rows that differ in the last bits only: the products alone would order them by chance."""
    rng = np.random.default_rng(6)
    base = unit_rows(rng, 1, 512)[0]
    vectors = base + rng.standard_normal((4000, 512)).astype(np.float32) * 3e-8
    vectors = vectors.astype(np.float32)
    probe = unit_rows(rng, 1, 512) * 0.1 + base
    probe = (probe / np.linalg.norm(probe)).astype(np.float32)
    for k in (1, 5, 50):
        (found,) = nearest(RamBlocks(vectors, np.arange(4000), 63), probe, k)
        assert found == brute_force(vectors, np.arange(4000), probe[0], k)


def test_a_similarity_is_the_dot_product_rounded_once():
    rng = np.random.default_rng(7)
    vectors, probe = unit_rows(rng, 50, 128), unit_rows(rng, 1, 128)[0]
    exact = vectors.astype(np.longdouble) @ probe.astype(np.longdouble)
    np.testing.assert_array_equal(similarities(vectors, probe), exact.astype(np.float32))


def test_without_probes_or_rows_nothing_is_found():
    layout_only = RamBlocks(np.empty((0, 16), np.float32), np.empty(0, int), 64)
    assert nearest(layout_only, np.empty((0, 16), np.float32), 1) == []
    assert nearest(layout_only, unit_rows(np.random.default_rng(0), 2, 16), 1) == [{}, {}]
