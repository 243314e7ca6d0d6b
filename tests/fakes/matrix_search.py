"""A second vector engine, to show that one can stand behind the seam: one matrix in memory a gallery."""

import threading

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.vector_search import GalleryVectors, Hit, RowOwner

__all__ = ["MatrixSearch"]


class MatrixSearch:
    """Copies the vectors of a gallery once per revision, and looks at every row of the copy.

    Attributes:
        built: the galleries and revisions copied, in order.
    """

    def __init__(self) -> None:
        self.built: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self._copies: dict[str, tuple[int, NDArray[np.float64], list[RowOwner]]] = {}

    def nearest(
        self, vectors: GalleryVectors, probes: NDArray[np.float32], k: int
    ) -> list[dict[int, Hit]]:
        with self._lock:
            matrix, owners = self._copy(vectors)
        return [_nearest(matrix, owners, probe, k) for probe in probes]

    def _copy(self, vectors: GalleryVectors) -> tuple[NDArray[np.float64], list[RowOwner]]:
        copied = self._copies.get(vectors.gallery_id)
        if copied is None or copied[0] != vectors.revision:
            blocks = list(vectors)
            rows = [np.asarray(block.vectors, np.float64) for block in blocks]
            owners = [RowOwner(*one) for block in blocks for one in block.owners.tolist()]
            matrix = np.concatenate(rows) if rows else np.empty((0, 0))
            copied = self._copies[vectors.gallery_id] = vectors.revision, matrix, owners
            self.built.append((vectors.gallery_id, vectors.revision))
        return copied[1:]


def _nearest(
    matrix: NDArray[np.float64], owners: list[RowOwner], probe: NDArray[np.float32], k: int
) -> dict[int, Hit]:
    best: dict[int, Hit] = {}
    if owners:
        similarities = (matrix * probe).sum(axis=1).astype(np.float32).tolist()
        # Oldest template first, so that of equal ones it stays.
        for row in sorted(range(len(owners)), key=lambda row: owners[row].template_number):
            hit = Hit(similarities[row], owners[row].template_number, row)
            held = best.get(owners[row].identity_number)
            if held is None or hit.similarity > held.similarity:
                best[owners[row].identity_number] = hit
    if len(best) <= k:
        return best
    kth = sorted((hit.similarity for hit in best.values()), reverse=True)[k - 1]
    return {number: hit for number, hit in best.items() if hit.similarity >= kth}
