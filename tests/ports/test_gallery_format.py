"""A gallery that an earlier version stored is opened, searched and written to by this one."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.errors import RequestIdReused
from facewire_server.galleries.records import EnrollmentResult, ExportedTemplate, NewIdentity
from facewire_server.galleries.refusal import Refusal
from facewire_server.types import Quality

GOLDEN = Path(__file__).with_name("golden") / "gallery_b85648d.mdb.gz"
CONTRACT = "c" * 64
DIMENSION = 16


def vectors(count: int) -> np.ndarray:
    """The vectors that `golden/make_gallery.py` stored."""
    rows = np.random.default_rng(5).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[LmdbGallery]:
    (tmp_path / "data.mdb").write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    gallery = LmdbGallery(
        tmp_path, vector_search=ExactSearch(), model_contract_id=CONTRACT, dimension=DIMENSION
    )
    yield gallery
    gallery.close()


async def test_it_is_listed(gallery: LmdbGallery) -> None:
    default, visitors = await gallery.list_galleries("", 9)
    assert (default.gallery_id, default.identity_count, default.template_count) == ("default", 3, 5)
    assert (visitors.gallery_id, visitors.display_name) == ("visitors", "Visitors")
    people = await gallery.list_identities("default", "", 9)
    assert [(one.identity_id, one.display_name, one.template_count) for one in people] == [
        ("id-0", "Name 0", 2),
        ("id-1", "Name 1", 1),
        ("id-2", "Name 2", 2),
    ]
    first, second = await gallery.list_templates("default", "id-2", "", 9)
    assert (first.template_id, second.template_id) == (f"{2:032x}", f"{5:032x}")
    assert (first.quality, first.source) == (Quality(42.0, 10.0, 120.0), "door")


async def test_it_is_searched(gallery: LmdbGallery) -> None:
    found = await gallery.search("default", vectors(6), 1)
    for number, ((best,)) in enumerate(found.candidates):
        if number == 1:  # deleted before the file was closed
            assert best.similarity < 0.999
        else:
            assert (best.identity_id, best.template_id) == (f"id-{number % 3}", f"{number:032x}")
            assert best.similarity == pytest.approx(1.0, abs=1e-6)


async def test_a_repeated_enrollment_gets_what_it_got_then(gallery: LmdbGallery) -> None:
    remembered = await gallery.remembered_enrollment("default", "request-4", b"f")
    assert remembered is not None
    accepted, *refused = remembered.results
    assert (accepted.template_id, accepted.refusal) == (f"{4:032x}", None)
    assert (accepted.quality, accepted.box) == (Quality(44.0, 10.0, 120.0), (1.0, 2.0, 30.0, 40.0))
    # Every word that was ever stored, and one of a class that exists no more.
    assert [one.refusal for one in refused] == list(Refusal)
    assert refused[5].detail == "refused: NoFace"
    with pytest.raises(RequestIdReused):
        await gallery.remembered_enrollment("default", "request-4", b"g")


async def test_it_is_written_to_and_exported(gallery: LmdbGallery) -> None:
    new = -vectors(6)[0]
    before = await gallery.get_gallery("default")
    done = await gallery.enroll(
        "default", NewIdentity("id-1"), [EnrollmentResult("f" * 32)], new[None]
    )
    assert done.revision == before.revision + 1
    ((best, _),) = (await gallery.search("default", new[None], 2)).candidates
    assert (best.identity_id, best.template_id) == ("id-1", "f" * 32)
    assert (await gallery.delete_identity("default", "id-0"))[0] == 2
    async with gallery.export_records("default") as (info, records):
        templates = [one async for one in records if isinstance(one, ExportedTemplate)]
    assert info.template_count == len(templates) == 4
    stored = {int(one.info.template_id, 16): one.embedding for one in templates}
    for number in (2, 4, 5):
        np.testing.assert_array_equal(stored[number], vectors(6)[number])


async def test_a_gallery_made_now_lies_above_the_revisions_deleted_then(
    gallery: LmdbGallery,
) -> None:
    assert (await gallery.create_gallery("gone", "")).revision > 2
