"""The people of a large gallery that are compared: some, spread over all, and the same ones as long as they stay."""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, pair_sample
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.thresholds import GalleryPairs

COUNT = 120


def vectors() -> np.ndarray:
    rows = np.random.default_rng(6).standard_normal((COUNT, 32)).astype(np.float32) + 0.3
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


async def enroll(gallery: LmdbGallery, number: int) -> None:
    await gallery.enroll(
        "default",
        NewIdentity(f"person-{number}", create=True),
        [EnrollmentResult(f"{number:032x}")],
        vectors()[number][None],
    )


async def pairs(gallery: LmdbGallery) -> GalleryPairs:
    return (await gallery.get_gallery("default")).pairs


async def test_a_sample_is_near_what_all_say_and_does_not_change_with_each_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_sample, "_MOST_PEOPLE", 40)
    seen = []
    opening = LmdbGallery(
        tmp_path, vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=32
    )
    with closing(opening) as gallery:
        for number in range(COUNT):
            await enroll(gallery, number)
            seen.append(await pairs(gallery))
        assert seen[39].identity_count == 40
        everyone, people = vectors(), np.arange(COUNT)
        of_all = gallery_pairs(everyone, people, everyone, people)
        assert 20 <= seen[-1].identity_count <= 40
        assert (seen[-1].mean, seen[-1].spread) == pytest.approx(
            (of_all.mean, of_all.spread), abs=0.03
        )
        # Of the people who came after the fortieth, only those in the sample change what it says.
        changes = sum(one != other for one, other in pairwise(seen[40:]))
        assert 0 < changes < 50
        await gallery.delete_identity("default", f"person-{COUNT - 1}")
        assert (await pairs(gallery)).identity_count >= 20


async def test_a_gallery_that_was_emptied_and_filled_again_is_sampled_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_sample, "_MOST_PEOPLE", 20)
    opening = LmdbGallery(
        tmp_path, vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=32
    )
    with closing(opening) as gallery:
        for _ in range(5):  # numbers go on above all that were ever given
            for number in range(COUNT):
                await enroll(gallery, number)
            assert 5 <= (await pairs(gallery)).identity_count <= 40
            for number in range(COUNT):
                await gallery.delete_identity("default", f"person-{number}")
            assert (await pairs(gallery)).identity_count == 0


def test_a_leap_of_the_numbers_leaves_the_sample_as_it_is() -> None:
    assert pair_sample.number_span(1000, 1000, 2001) == 2001
    assert pair_sample.number_span(1000, 1000, 1_764_000_000_000_000) == 4000
