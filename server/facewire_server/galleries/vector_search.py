"""The port of a vector engine: one gallery's vectors in, the nearest identities out.

The store is authoritative, and an index is derived from it. An engine is called inside a read
transaction of the store with the vectors of one gallery at one revision. It may look at all of
them each time, or keep an index for each `(gallery_id, revision)`, which it
builds from those vectors and drops when a later revision is searched.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["GalleryVectors", "Hit", "RowOwner", "VectorBlock", "VectorSearch"]


class RowOwner(NamedTuple):
    """The owner of a row. Numbers of a gallery are never reused; later ones are greater."""

    identity_number: int
    template_number: int


class Hit(NamedTuple):
    """An identity's mean nearest to a probe.

    Attributes:
        similarity: to the probe.
        template_number: of its oldest template.
        row: where it is among all rows of the gallery.
    """

    similarity: float
    template_number: int
    row: int


class VectorBlock(NamedTuple):
    """Some rows of a gallery, contiguous in memory: views that are valid until the search returns. Copy to keep.

    Attributes:
        vectors: (m, d) float32 unit rows.
        owners: (m, 2) uint64, the numbers of a `RowOwner` of each row.
    """

    vectors: NDArray[np.float32]
    owners: NDArray[np.uint64]


class GalleryVectors(Protocol):
    """The vectors of one gallery at one revision, to iterate over block by block.

    In one store a pair of gallery id and revision never names two contents: each write raises the
    revision, and a gallery made again under an id starts above all revisions deleted before.
    """

    @property
    def gallery_id(self) -> str:
        """Id of the gallery."""
        ...

    @property
    def revision(self) -> int:
        """Its revision that is searched."""
        ...

    @property
    def rows_per_block(self) -> int:
        """Rows of every block but the last, which may have fewer."""
        ...

    def __iter__(self) -> Iterator[VectorBlock]:
        """The blocks in order."""
        ...


class VectorSearch(Protocol):
    """A vector engine. Called from several threads at once; blocks."""

    def nearest(
        self, vectors: GalleryVectors, probes: NDArray[np.float32], k: int
    ) -> Sequence[dict[int, Hit]]:
        """Finds the k identities nearest to each probe, and those that equal the k-th.

        Args:
            vectors: of the gallery searched; not valid after the call.
            probes: (n, d) float32 unit rows; n may be 0.
            k: >= 1.

        Returns:
            For each probe, by identity number: its most similar row, the oldest (lowest
            number) of equal ones. A similarity is the dot product rounded once to float32.

        Raises:
            GalleryDamaged: a vector is not finite, or not of unit length. Not every such vector is noticed.
        """
        ...
