"""The port `Corrections`: one person under two ids, and two under one; for the fake in memory and for LMDB."""

from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.lmdb_gallery.reading import reading_galleries
from facewire_server.backends.lmdb_gallery.soundness import check_gallery
from facewire_server.errors import (
    CropKeyMissing,
    IdentityExists,
    IdentityNotFound,
    InvalidField,
    TemplateNotFound,
)
from facewire_server.galleries.records import TemplateInfo
from fakes.gallery import Gallery, MemoryGallery

from .test_gallery import (  # the fixtures are used by name
    Store,
    crops_of,
    enroll,
    found,
    gallery,
    kept,
    random_unit,
    revision_of,
    store,
    template_id,
    unit,
)

__all__ = ["gallery", "store"]


@pytest.fixture(autouse=True)
def sound(tmp_path: Path):
    """Whatever a test did: what LMDB holds agrees with itself, once the gallery is closed."""
    yield
    if (tmp_path / "data").exists():
        with reading_galleries(tmp_path / "data") as transaction:
            check_gallery(transaction, "default")


def around(center: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Unit vectors that agree with each other: a cosine of about .8 to their center."""
    noise = np.random.default_rng(seed).standard_normal((count, len(center))) / len(center) ** 0.5
    return unit(*(center + 0.7 * noise))


ANN, BOB, EVE = random_unit(3, seed=11)


async def templates(gallery: Gallery, identity_id: str) -> list[TemplateInfo]:
    return await gallery.list_templates("default", identity_id, "", 100)


async def ids(gallery: Gallery, identity_id: str) -> list[str]:
    return [one.template_id for one in await templates(gallery, identity_id)]


async def similarity(gallery: Gallery, identity_id: str, probe: np.ndarray) -> float:
    (candidates,) = (await gallery.search("default", probe[None], 10)).candidates
    return next(one.similarity for one in candidates if one.identity_id == identity_id)


async def test_two_that_are_one_are_searched_as_if_they_had_always_been(gallery: Gallery):
    vectors = around(ANN, 5, seed=1)
    await enroll(gallery, "ann", vectors[:2], [1, 2])
    await enroll(gallery, "eve", around(EVE, 3, seed=2), [10, 11, 12])
    await enroll(gallery, "anna", vectors[2:], [3, 4, 5])
    before = await revision_of(gallery, "default")
    known = await gallery.references("default", ["ann", "anna"])
    info, moved, revision, *numbers = await gallery.merge_identities("default", "ann", "anna")
    assert numbers == [known["ann"].number, known["anna"].number]
    assert (info.identity_id, info.display_name, info.template_count) == ("ann", "ann", 5)
    assert (moved, revision) == (3, before + 1) == (3, await revision_of(gallery, "default"))
    assert await ids(gallery, "ann") == [template_id(one) for one in (1, 2, 3, 4, 5)]
    assert {one.identity_id for one in await templates(gallery, "ann")} == {"ann"}
    with pytest.raises(IdentityNotFound):
        await gallery.get_identity("default", "anna")
    state = await gallery.get_gallery("default")
    assert (state.identity_count, state.template_count) == (2, 8)
    assert await found(gallery, ANN) == ["ann", "eve"]
    await gallery.create_gallery("other", "")
    await enroll(gallery, "ann", vectors, [1, 2, 3, 4, 5], gallery_id="other")
    (together,) = (await gallery.search("other", ANN[None], 1)).candidates
    assert await similarity(gallery, "ann", ANN) == pytest.approx(together[0].similarity, abs=1e-6)


async def test_the_merged_ones_templates_may_be_the_older_ones(gallery: Gallery):
    await enroll(gallery, "anna", around(ANN, 2, seed=1), [1, 2])
    await enroll(gallery, "ann", around(ANN, 2, seed=2), [3, 4])
    await gallery.merge_identities("default", "ann", "anna")
    assert await ids(gallery, "ann") == [template_id(one) for one in (1, 2, 3, 4)]
    (candidates,) = (await gallery.search("default", ANN[None], 1)).candidates
    assert candidates[0].template_id == template_id(1)


async def test_one_without_templates_can_be_merged_either_way(gallery: Gallery):
    await enroll(gallery, "ann", around(ANN, 1, seed=1), [1])
    await gallery.create_identity("default", "empty", "")
    assert (await gallery.merge_identities("default", "ann", "empty"))[1] == 0
    await gallery.create_identity("default", "empty", "Empty")
    info, moved, *_ = await gallery.merge_identities("default", "empty", "ann")
    assert (info.display_name, info.template_count, moved) == ("Empty", 1, 1)
    assert await found(gallery, ANN) == ["empty"]


async def test_what_is_not_two_identities_is_not_merged(gallery: Gallery):
    await enroll(gallery, "Zo\u00eb", around(ANN, 1, seed=1), [1])
    before = await revision_of(gallery, "default")
    for stays, goes in (("Zo\u00eb", "nobody"), ("nobody", "Zo\u00eb")):
        with pytest.raises(IdentityNotFound):
            await gallery.merge_identities("default", stays, goes)
    with pytest.raises(InvalidField):
        await gallery.merge_identities("default", "Zo\u00eb", "Zoe\u0308")
    assert await revision_of(gallery, "default") == before
    assert await ids(gallery, "Zo\u00eb") == [template_id(1)]


async def test_what_was_kept_of_the_merged_one_is_about_who_stays(gallery: Gallery):
    for number, name in enumerate(("a", "b", "c")):
        await enroll(gallery, name, around(ANN, 1, seed=number), [number], request_id=name)
    references = await gallery.references("default", ["a", "b", "c"])
    await gallery.merge_identities("default", "b", "c")
    await gallery.merge_identities("default", "a", "b")
    names = await gallery.names(references.values())
    assert {one.identity_id for one in names.values()} == {"a"}
    assert names.keys() == set(references.values())
    await gallery.delete_identity("default", "a")
    assert await gallery.names(references.values()) == {}
    for request_id in ("a", "b", "c"):
        assert await gallery.remembered_enrollment("default", request_id, b"") is None


async def test_an_enrollment_of_the_merged_one_that_is_repeated_enrolls_nothing(gallery: Gallery):
    await enroll(gallery, "ann", around(ANN, 1, seed=1), [1])
    first = await enroll(gallery, "anna", around(ANN, 1, seed=2), [2], request_id="r")
    await gallery.merge_identities("default", "ann", "anna")
    again = await enroll(gallery, "anna", around(ANN, 1, seed=2), [2], request_id="r")
    assert again.results == first.results
    assert (await gallery.get_gallery("default")).identity_count == 1


async def test_a_split_moves_the_chosen_templates_to_a_new_identity(gallery: Gallery):
    await enroll(gallery, "ann", around(ANN, 3, seed=1), [1, 2, 3])
    await enroll(gallery, "ann", around(BOB, 2, seed=2), [4, 5])
    before = await revision_of(gallery, "default")
    chosen = [template_id(one) for one in (5, 4, 5)]
    info, moved, revision, *numbers = await gallery.split_identity(
        "default", "ann", chosen, "bob", "Bob B."
    )
    known = await gallery.references("default", ["ann", "bob"])
    assert (moved, *numbers) == (2, known["bob"].number, known["ann"].number)
    assert (info.identity_id, info.display_name, info.template_count) == ("bob", "Bob B.", 2)
    assert revision == before + 1 == await revision_of(gallery, "default")
    assert await ids(gallery, "ann") == [template_id(one) for one in (1, 2, 3)]
    assert await ids(gallery, "bob") == [template_id(one) for one in (4, 5)]
    assert (await gallery.get_identity("default", "ann")).template_count == 3
    assert await found(gallery, ANN) == ["ann", "bob"]
    assert await found(gallery, BOB) == ["bob", "ann"]
    assert (await gallery.get_gallery("default")).identity_count == 2


async def test_a_split_undoes_a_merge(gallery: Gallery):
    await enroll(gallery, "ann", around(ANN, 3, seed=1), [1, 2, 3])
    await enroll(gallery, "bob", around(BOB, 3, seed=2), [4, 5, 6])
    before = await gallery.search("default", np.stack([ANN, BOB]), 2)
    of_bob = await ids(gallery, "bob")
    await gallery.merge_identities("default", "ann", "bob")
    await gallery.split_identity("default", "ann", of_bob, "bob", "")
    after = await gallery.search("default", np.stack([ANN, BOB]), 2)
    for one, other in zip(before.candidates, after.candidates, strict=True):
        assert [c.identity_id for c in one] == [c.identity_id for c in other]
        assert [c.similarity for c in one] == pytest.approx([c.similarity for c in other], abs=1e-6)


async def test_a_split_can_leave_an_identity_without_templates(gallery: Gallery):
    await enroll(gallery, "ann", around(ANN, 2, seed=1), [1, 2])
    await gallery.split_identity("default", "ann", await ids(gallery, "ann"), "bob", "")
    assert (await gallery.get_identity("default", "ann")).template_count == 0
    assert await found(gallery, ANN) == ["bob"]


async def test_what_cannot_be_split_stays_whole(gallery: Gallery):
    await enroll(gallery, "ann", around(ANN, 2, seed=1), [1, 2])
    await enroll(gallery, "bob", around(BOB, 1, seed=2), [3])
    before = await revision_of(gallery, "default")
    for identity_id, template, new_id, error in (
        ("nobody", 1, "new", IdentityNotFound),
        ("ann", 3, "new", TemplateNotFound),
        ("ann", 9, "new", TemplateNotFound),
        ("ann", 1, "bob", IdentityExists),
        ("ann", 1, "ann", IdentityExists),
        ("ann", 1, "a\nb", InvalidField),
    ):
        chosen = [template_id(2), template_id(template)]
        with pytest.raises(error):
            await gallery.split_identity("default", identity_id, chosen, new_id, "")
    assert await revision_of(gallery, "default") == before
    assert await ids(gallery, "ann") == [template_id(1), template_id(2)]


async def test_an_enrollment_goes_with_its_templates_or_is_forgotten_if_a_part_of_them_moves(
    gallery: Gallery,
):
    await enroll(gallery, "ann", around(ANN, 2, seed=1), [1, 2], request_id="mixed")
    await enroll(gallery, "ann", around(ANN, 1, seed=3), [4], request_id="left")
    await enroll(gallery, "ann", around(BOB, 1, seed=2), [3], request_id="moved")
    reference = await gallery.references("default", ["ann"])
    chosen = [template_id(2), template_id(3)]
    await gallery.split_identity("default", "ann", chosen, "bob", "")
    assert (await gallery.names(reference.values()))[reference["ann"]].identity_id == "ann"
    await gallery.delete_identity("default", "bob")
    assert await gallery.remembered_enrollment("default", "moved", b"") is None
    assert await gallery.remembered_enrollment("default", "mixed", b"") is None
    assert await gallery.remembered_enrollment("default", "left", b"") is not None


async def test_crops_move_with_their_templates(store: Store) -> None:
    gallery, crops = store.keeping(), crops_of(3)
    await enroll(gallery, "ann", around(ANN, 2, seed=1), [1, 2], crops=crops[:2])
    await enroll(gallery, "anna", around(ANN, 1, seed=2), [3], crops=crops[2:])
    await gallery.merge_identities("default", "ann", "anna")
    await gallery.split_identity("default", "ann", [template_id(1)], "bob", "")
    for one, crop in zip(await kept(gallery, 1, 2, 3), crops, strict=True):
        np.testing.assert_array_equal(one, crop)
    await gallery.delete_identity("default", "bob")
    await enroll(gallery, "bob", around(ANN, 1, seed=3), [1])
    assert await kept(gallery, 1) == [None]


async def test_crops_do_not_move_without_their_key(store: Store) -> None:
    if isinstance(store.gallery, MemoryGallery):
        return  # it encrypts nothing
    gallery = store.keeping()
    await enroll(gallery, "ann", around(ANN, 2, seed=1), [1, 2], crops=crops_of(2))
    await enroll(gallery, "bob", around(BOB, 1, seed=2), [3])
    gallery = store.under_contract("c" * 64)
    with pytest.raises(CropKeyMissing):
        await gallery.merge_identities("default", "bob", "ann")
    with pytest.raises(CropKeyMissing):
        await gallery.split_identity("default", "ann", [template_id(1)], "new", "")
    assert await ids(gallery, "ann") == [template_id(1), template_id(2)]
    await gallery.merge_identities("default", "ann", "bob")
