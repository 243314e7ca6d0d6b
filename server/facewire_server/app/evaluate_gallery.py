"""The storage of an evaluation's galleries: a real one, in a temporary folder that is deleted."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.proof.model_contract import ModelContract

__all__ = ["temporary_storage"]


@contextmanager
def temporary_storage(contract: ModelContract) -> Iterator[LmdbGallery]:
    """Opens a storage of a model contract's embeddings for the block.

    Only a process that is killed leaves its folder behind, in that of temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="facewire-evaluation-") as folder:
        opened = LmdbGallery(
            Path(folder),
            vector_search=ExactSearch(),
            model_contract_id=contract.id,
            dimension=contract.dimension,
        )
        with closing(opened) as storage:
            yield storage
