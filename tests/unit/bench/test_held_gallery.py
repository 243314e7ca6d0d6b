"""A gallery in memory says what one on disk does: by which means people are searched, and how much they resemble one another."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bench import held_gallery
from bench.held_gallery import held
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, pair_sample
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

PEOPLE = 50


def people() -> list[np.ndarray]:
    """Of each person one to three templates; of every seventh the last one shows someone else."""
    random = np.random.default_rng(3)
    found = []
    for number in range(PEOPLE):
        own = random.standard_normal(32) + 0.4 * random.standard_normal((number % 3 + 1, 32))
        if number % 7 == 0:
            own[-1] = random.standard_normal(32)
        own += 0.3
        found.append((own / np.linalg.norm(own, axis=1, keepdims=True)).astype(np.float32))
    return found


@pytest.mark.parametrize(("most_people", "most_pictures"), [(PEOPLE, 3), (20, 1)])
async def test_means_and_pairs_are_those_of_a_gallery_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_people: int, most_pictures: int
) -> None:
    for module in (pair_sample, held_gallery):
        monkeypatch.setattr(module, "_MOST_PEOPLE", most_people)
    everyone = [templates[:most_pictures] for templates in people()]
    in_memory = held(everyone)
    opening = LmdbGallery(
        tmp_path, vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=32
    )
    with closing(opening) as gallery:
        for number, templates in enumerate(everyone):
            results = [EnrollmentResult(f"{number:030x}{row:02x}") for row in range(len(templates))]
            identity = NewIdentity(f"person-{number:03}", create=True)
            await gallery.enroll("default", identity, results, templates)
        probes = np.stack([templates[0] for templates in everyone[::-1]])
        found = await gallery.search("default", probes, 1)
    assert found.pairs == in_memory.pairs
    similarities = probes @ in_memory.means.T
    for row, (nearest,) in zip(similarities, found.candidates, strict=True):
        assert nearest.identity_id == f"person-{in_memory.owners[row.argmax()]:03}"
        assert nearest.similarity == pytest.approx(row.max(), abs=1e-5)
