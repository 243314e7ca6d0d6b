"""The storage of an evaluation's galleries: a real one, in files that have no name any more."""

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

    Its folder, in that of temporary files, is removed before the first template is enrolled: what is open stays usable without a name
    (unlink(2)), and goes with the process, however it ends.
    """
    with tempfile.TemporaryDirectory(prefix="facewire-evaluation-") as folder:
        storage = LmdbGallery(
            Path(folder),
            vector_search=ExactSearch(),
            model_contract_id=contract.id,
            dimension=contract.dimension,
        )
    with closing(storage):
        yield storage
