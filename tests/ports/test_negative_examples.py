"""The port `NegativeExamples`: a face that was taken for a person and is not; for the fake in memory and for LMDB."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.lmdb_gallery.reading import reading_galleries
from facewire_server.backends.lmdb_gallery.soundness import check_gallery
from facewire_server.errors import (
    GalleryFull,
    IdentityNotFound,
    InvalidField,
    ModelContractMismatch,
    NegativeExampleNotFound,
    RequestIdReused,
)
from facewire_server.galleries.records import (
    MAX_NEGATIVE_EXAMPLES,
    MAX_PASSED_OVER,
    AddedNegativeExample,
    ExportedNegativeExample,
    GalleryRecord,
    IdentityInfo,
    NewNegativeExample,
)
from facewire_server.types import Candidate, Quality
from fakes.gallery import Gallery

from .test_gallery import (  # the fixtures are used by name
    CONTRACT,
    OTHER_CONTRACT,
    Store,
    each,
    enroll,
    found,
    gallery,
    random_unit,
    revision_of,
    store,
    unit,
)

__all__ = ["gallery", "store"]


@pytest.fixture(autouse=True)
def sound(tmp_path: Path):
    """Whatever a test did: what LMDB holds agrees with itself, once the gallery is closed."""
    yield
    if (tmp_path / "data").exists():
        with reading_galleries(tmp_path / "data") as transaction:
            for gallery_id, _ in list(transaction.table("galleries").scan()):
                check_gallery(transaction, gallery_id.decode())


ANN, BOB, EVE, ROY = random_unit(4, seed=12)
QUALITY = Quality(40.0, 100.0, 120.0)


def between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """A face as similar to one as to the other."""
    return unit(one + other)[0]


async def add(
    gallery: Gallery,
    identity_id: str,
    embedding: np.ndarray,
    number: int = 1,
    *,
    gallery_id: str = "default",
    request: tuple[str, bytes] = ("", b""),
) -> AddedNegativeExample:
    box = (1.0, 2.0, 30.0, 40.0)
    example = NewNegativeExample(
        f"{number:032x}", identity_id, QUALITY, 0.75, box, "door", *request
    )
    return await gallery.add_negative_example(gallery_id, example, embedding)


async def ids(gallery: Gallery, identity_id: str, gallery_id: str = "default") -> list[int]:
    listed = await gallery.list_negative_examples(gallery_id, identity_id, "", 1000)
    assert {one.identity_id for one in listed} <= {identity_id}
    info = await gallery.get_identity(gallery_id, identity_id)
    assert info.negative_example_count == len(listed)
    return [int(one.negative_example_id, 16) for one in listed]


async def candidates(gallery: Gallery, probe: np.ndarray, k: int) -> tuple[Candidate, ...]:
    (one,) = (await gallery.search("default", probe[None], k)).candidates
    return one


async def test_a_search_says_how_near_a_face_is_to_the_nearest_negative_example(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await enroll(gallery, "bob", BOB[None], [2])
    before = await revision_of(gallery, "default")
    face = between(ANN, EVE)
    added = await add(gallery, "ann", face)
    assert added.revision == before + 1 == await revision_of(gallery, "default")
    assert added.similarity == pytest.approx(float(face @ ANN), abs=1e-6)
    assert (added.identity_count, added.box) == (2, (1.0, 2.0, 30.0, 40.0))
    assert (added.info.identity_id, added.info.quality) == ("ann", QUALITY)
    assert (added.info.detection_score, added.info.source) == (0.75, "door")
    await add(gallery, "ann", ROY, 2)
    ann, bob = await candidates(gallery, face, 2)
    assert (ann.identity_id, ann.is_nearer_to_negative_example) == ("ann", True)
    assert ann.negative_example_similarity == pytest.approx(1.0, abs=1e-6)
    assert bob.negative_example_similarity is None
    ann, _ = await candidates(gallery, ANN, 2)
    assert ann.negative_example_similarity == pytest.approx(float(face @ ANN), abs=1e-6)
    assert not ann.is_nearer_to_negative_example


async def test_a_negative_example_is_no_template(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await add(gallery, "ann", EVE)
    await enroll(gallery, "bob", BOB[None], [2])
    assert {*await found(gallery, EVE)} == {"ann", "bob"}
    info = await gallery.get_gallery("default")
    assert (info.template_count, info.negative_example_count) == (2, 1)
    (ann,) = [one for one in await candidates(gallery, ANN, 2) if one.identity_id == "ann"]
    assert ann.similarity == pytest.approx(1.0, abs=1e-6)


async def test_who_is_passed_over_does_not_count_for_the_number_of_identities_wanted(
    gallery: Gallery,
):
    axes = np.eye(len(ANN), dtype=np.float32)
    faces = dict(zip(("ann", "bob", "eve", "roy"), axes, strict=False))
    probe = unit(axes[:4].T @ np.array([4, 3, 2, 1]))[0]
    for number, (name, face) in enumerate(faces.items()):
        await enroll(gallery, name, face[None], [number])
    assert [one.identity_id for one in await candidates(gallery, probe, 2)] == ["ann", "bob"]
    await add(gallery, "ann", probe, 1)
    await add(gallery, "eve", axes[4], 2)  # is not nearer
    nearest = await candidates(gallery, probe, 2)
    assert [one.identity_id for one in nearest] == ["ann", "bob", "eve"]
    assert nearest[0].is_nearer_to_negative_example
    assert not nearest[2].is_nearer_to_negative_example
    await add(gallery, "bob", probe, 3)
    assert [one.identity_id for one in await candidates(gallery, probe, 1)] == ["ann", "bob", "eve"]
    together = await gallery.search("default", np.stack([probe, axes[3]]), 1)
    assert [[one.identity_id for one in each_] for each_ in together.candidates] == [
        ["ann", "bob", "eve"],
        ["roy"],
    ]


@pytest.mark.parametrize("more", [0, 1])
async def test_a_search_ends_before_more_than_32_are_passed_over(gallery: Gallery, more: int):
    """Each person is ANN turned a little more; all but the second and the last two have the probe as a negative example."""
    others = {1, MAX_PASSED_OVER + more + 1, MAX_PASSED_OVER + more + 2}
    for number in range(max(others) + 1):
        await enroll(gallery, f"p{number:02}", unit(ANN + 0.01 * (number + 1) * EVE), [number])
        if number not in others:
            await add(gallery, f"p{number:02}", ANN, number)
    expected = list(range(MAX_PASSED_OVER + 1 if more else MAX_PASSED_OVER + 2))
    alone = await candidates(gallery, ANN, 2)
    assert [int(one.identity_id[1:]) for one in alone] == expected
    assert [int(one.identity_id[1:]) for one in await candidates(gallery, ANN, 1)] == [0, 1]
    wants = [40, 2, 40, 2]  # searched at once: the others' wishes change nothing
    together = await asyncio.gather(*(candidates(gallery, ANN, k) for k in wants))
    assert together[1] == together[3] == alone


async def test_they_are_listed_in_pages_and_deleted(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await gallery.create_identity("default", "bob", "")
    for number in (5, 3, 4):
        await add(gallery, "ann", EVE, number)
    await add(gallery, "bob", EVE, 9)
    assert await ids(gallery, "ann") == [5, 3, 4]
    page = await gallery.list_negative_examples("default", "ann", f"{5:032x}", 1)
    assert [int(one.negative_example_id, 16) for one in page] == [3]
    before = await revision_of(gallery, "default")
    three, revision = await gallery.delete_negative_example("default", f"{3:032x}")
    assert revision == before + 1
    assert (await ids(gallery, "ann"), await ids(gallery, "bob")) == ([5, 4], [9])
    for missing in (f"{3:032x}", f"{7:032x}", "no id"):
        with pytest.raises(NegativeExampleNotFound):
            await gallery.delete_negative_example("default", missing)
        with pytest.raises(NegativeExampleNotFound):
            await gallery.list_negative_examples("default", "ann", missing, 9)
    with pytest.raises(NegativeExampleNotFound):
        await gallery.list_negative_examples("default", "bob", f"{5:032x}", 9)
    numbers = {three}
    for one in (4, 5):
        numbers.add((await gallery.delete_negative_example("default", f"{one:032x}"))[0])
    numbers.add((await gallery.delete_template("default", f"{1:032x}"))[0])
    assert len(numbers) == 4, "a number is of one template or negative example"
    await enroll(gallery, "ann", ANN[None], [1])
    ann, *_ = await candidates(gallery, EVE, 2)
    assert ann.negative_example_similarity is None


async def test_what_cannot_be_one_is_refused_and_nothing_is_written(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await add(gallery, "ann", EVE)
    before = await revision_of(gallery, "default")
    with pytest.raises(IdentityNotFound):
        await add(gallery, "nobody", EVE, 2)
    with pytest.raises(IdentityNotFound):
        await gallery.negative_example_of_request("default", "nobody", "", b"")
    with pytest.raises(IdentityNotFound):
        await gallery.list_negative_examples("default", "nobody", "", 9)
    with pytest.raises(InvalidField):
        await add(gallery, "ann", EVE, 1)
    with pytest.raises(InvalidField):
        await add(gallery, "ann", 2 * EVE, 2)
    with pytest.raises(InvalidField):
        await add(gallery, "ann", EVE[1:], 2)
    assert await revision_of(gallery, "default") == before
    assert await ids(gallery, "ann") == [1]


async def test_an_identity_without_templates_may_have_some(gallery: Gallery):
    await gallery.create_identity("default", "ann", "")
    assert (await add(gallery, "ann", EVE)).similarity == 0.0
    assert await found(gallery, EVE) == []


async def test_a_repeated_request_adds_nothing(gallery: Gallery):
    await enroll(gallery, "Zo\u00eb", ANN[None], [1])
    request = "r", b"fingerprint"
    assert await gallery.negative_example_of_request("default", "Zo\u00eb", *request) is None
    first = await add(gallery, "Zo\u00eb", EVE, 1, request=request)
    again = await add(gallery, "Zoe\u0308", ROY, 2, request=request)
    recalled = await gallery.negative_example_of_request("default", "Zo\u00eb", *request)
    assert again == recalled == replace(first, is_new=False)
    assert first.is_new
    for call in (
        gallery.negative_example_of_request("default", "Zo\u00eb", "r", b"other"),
        add(gallery, "Zo\u00eb", EVE, 3, request=("r", b"other")),
    ):
        with pytest.raises(RequestIdReused):
            await call
    await gallery.create_identity("default", "bob", "")
    await add(gallery, "bob", EVE, 4, request=request)
    await gallery.delete_negative_example("default", first.info.negative_example_id)
    assert await gallery.negative_example_of_request("default", "Zo\u00eb", *request) is None


async def test_after_a_merge_each_of_two_requests_of_one_id_is_remembered(gallery: Gallery):
    for number, (name, fingerprint) in enumerate((("ann", b"one"), ("anna", b"two"))):
        await gallery.create_identity("default", name, "")
        await add(gallery, name, EVE, number, request=("r", fingerprint))
    await gallery.merge_identities("default", "ann", "anna")
    for number, fingerprint in enumerate((b"one", b"two")):
        again = await gallery.negative_example_of_request("default", "ann", "r", fingerprint)
        assert again
        assert int(again.info.negative_example_id, 16) == number
    with pytest.raises(RequestIdReused):
        await gallery.negative_example_of_request("default", "ann", "r", b"three")


async def test_an_identity_has_at_most_a_hundred(gallery: Gallery):
    await gallery.create_identity("default", "ann", "")
    await gallery.create_identity("default", "bob", "")
    for number in range(MAX_NEGATIVE_EXAMPLES):
        request = ("r", b"") if number == 7 else ("", b"")
        await add(gallery, "ann", EVE, number, request=request)
    with pytest.raises(GalleryFull):
        await add(gallery, "ann", EVE, 1000)
    with pytest.raises(GalleryFull):
        await gallery.negative_example_of_request("default", "ann", "other", b"")
    again = await gallery.negative_example_of_request("default", "ann", "r", b"")
    assert again
    await add(gallery, "bob", EVE, 1000)
    with pytest.raises(GalleryFull):
        await gallery.merge_identities("default", "bob", "ann")
    assert len(await ids(gallery, "ann")) == MAX_NEGATIVE_EXAMPLES
    assert await ids(gallery, "bob") == [1000]


async def test_they_go_with_the_identity_and_the_gallery(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await add(gallery, "ann", EVE)
    await gallery.delete_identity("default", "ann")
    assert (await gallery.get_gallery("default")).negative_example_count == 0
    with pytest.raises(NegativeExampleNotFound):
        await gallery.delete_negative_example("default", f"{1:032x}")
    await enroll(gallery, "ann", ANN[None], [1])
    assert await ids(gallery, "ann") == []
    await add(gallery, "ann", EVE)
    await gallery.delete_gallery("default")
    assert (await gallery.get_gallery("default")).negative_example_count == 0
    await enroll(gallery, "ann", ANN[None], [1])
    assert await ids(gallery, "ann") == []


async def test_a_merge_moves_them_in_order_and_a_split_leaves_them(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await enroll(gallery, "anna", unit(ANN + 0.1 * EVE), [2])
    await add(gallery, "anna", EVE, 1)
    await add(gallery, "ann", ROY, 2)
    await add(gallery, "anna", BOB, 3, request=("r", b""))
    info, *_ = await gallery.merge_identities("default", "ann", "anna")
    assert info.negative_example_count == 3
    assert await ids(gallery, "ann") == [1, 2, 3]
    assert await gallery.negative_example_of_request("default", "ann", "r", b"") is not None
    ann, *_ = await candidates(gallery, EVE, 1)
    assert ann.negative_example_similarity == pytest.approx(1.0, abs=1e-6)
    await gallery.split_identity("default", "ann", [f"{2:032x}"], "anna", "")
    assert (await ids(gallery, "ann"), await ids(gallery, "anna")) == ([1, 2, 3], [])
    await gallery.delete_negative_example("default", f"{1:032x}")
    assert await ids(gallery, "ann") == [2, 3]


async def test_an_export_has_them_and_an_import_adds_them_once(gallery: Gallery):
    await enroll(gallery, "ann", ANN[None], [1])
    await add(gallery, "ann", EVE, 1)
    await add(gallery, "ann", ROY, 2)
    async with gallery.export_records("default") as (info, records):
        exported: list[GalleryRecord] = [one async for one in records]
    assert info.negative_example_count == 2
    negatives = [one for one in exported if isinstance(one, ExportedNegativeExample)]
    listed = await gallery.list_negative_examples("default", "ann", "", 9)
    assert [one.info for one in negatives] == listed
    np.testing.assert_array_equal([one.embedding for one in negatives], [EVE, ROY])
    await gallery.create_gallery("copy", "")
    counts = await gallery.import_records("copy", CONTRACT, each(exported))
    assert (counts.negative_examples_added, counts.negative_examples_skipped) == (2, 0)
    assert await gallery.list_negative_examples("copy", "ann", "", 9) == listed
    again = await gallery.import_records("copy", CONTRACT, each(exported))
    assert (again.negative_examples_added, again.negative_examples_skipped) == (0, 2)
    assert again.revision == counts.revision
    await gallery.delete_negative_example("copy", listed[0].negative_example_id)
    assert await ids(gallery, "ann") == [1, 2]
    without = [one for one in exported if not isinstance(one, ExportedNegativeExample)]
    await gallery.create_gallery("old", "")
    await gallery.import_records("old", CONTRACT, each(without))
    assert await ids(gallery, "ann", "old") == []


async def test_an_import_of_too_many_writes_nothing(gallery: Gallery):
    await gallery.create_identity("default", "ann", "")
    info = (await add(gallery, "ann", EVE, 0)).info
    many: list[GalleryRecord] = [IdentityInfo("ann", "", 0, 0)]
    for number in range(1, MAX_NEGATIVE_EXAMPLES + 1):
        fields = (f"{number:032x}", "ann", info.quality, info.detection_score, 5, "")
        many.append(ExportedNegativeExample(type(info)(*fields), EVE))
    with pytest.raises(GalleryFull):
        await gallery.import_records("default", CONTRACT, each(many))
    assert await gallery.import_records("default", CONTRACT, each(many[:-1]))
    assert len(await ids(gallery, "ann")) == MAX_NEGATIVE_EXAMPLES


async def test_under_another_model_they_are_only_read_and_deleted(store: Store):
    gallery = store.gallery
    await enroll(gallery, "ann", ANN[None], [1])
    await add(gallery, "ann", EVE)
    other = store.under_contract(OTHER_CONTRACT)
    with pytest.raises(ModelContractMismatch):
        await add(other, "ann", EVE, 2)
    assert await ids(other, "ann") == [1]
    await other.delete_negative_example("default", f"{1:032x}")
