"""The gallery ports: one test for the fake in memory and for LMDB, before each vector engine."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, blocks, memory
from facewire_server.errors import (
    GalleryExists,
    GalleryFull,
    GalleryNotFound,
    IdentityExists,
    IdentityNotFound,
    InvalidField,
    ModelContractMismatch,
    OutOfOrder,
    RequestIdReused,
    TemplateNotFound,
)
from facewire_server.galleries import transfer
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    EnrollmentResult,
    ExportedTemplate,
    GalleryRecord,
    GallerySize,
    IdentityInfo,
    ImportCounts,
    NewIdentity,
    PersonReference,
    TemplateInfo,
)
from facewire_server.galleries.refusal import Refusal
from facewire_server.thresholds import GalleryPairs
from facewire_server.types import Quality, QualityFault
from fakes.gallery import Gallery, MemoryGallery
from fakes.matrix_search import MatrixSearch

DIMENSION = 128
CONTRACT = "c" * 64
OTHER_CONTRACT = "d" * 64
QUALITY = Quality(64.0, 12.5, 99.0, 7.25, 11.5, -0.125, 0.25, (QualityFault.TOO_DARK,))
ACCEPTED = EnrollmentResult("", quality=QUALITY, box=(1.0, 2.0, 3.5, 4.0), detection_score=0.99)
REFUSED = EnrollmentResult("", refusal=Refusal.NO_FACE, detail="no face was found")
EMPTY = np.empty((0, DIMENSION), np.float32)


@dataclass
class Store:
    """A gallery, and the ways to open the same storage otherwise."""

    gallery: Gallery
    under_contract: Callable[[str], Gallery]
    small: Callable[[], Gallery]
    keeping: Callable[[], Gallery]


@pytest.fixture(
    params=["memory", "lmdb", "lmdb in tiny blocks", "lmdb with its vectors in a matrix"]
)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    if request.param == "memory":
        fake = MemoryGallery(model_contract_id=CONTRACT, dimension=DIMENSION)
        small = MemoryGallery(model_contract_id=CONTRACT, dimension=DIMENSION, capacity=500)
        yield Store(fake, fake.under_contract, lambda: small, fake.keeping_crops)
        return
    if request.param == "lmdb in tiny blocks":
        monkeypatch.setattr(blocks, "BLOCK_PAGES", 1)
    opened: list[LmdbGallery] = []

    def lmdb_gallery(folder: str, contract: str, **sizes: Any) -> LmdbGallery:
        gallery = LmdbGallery(
            tmp_path / folder,
            vector_search=MatrixSearch() if "matrix" in request.param else ExactSearch(),
            model_contract_id=contract,
            dimension=DIMENSION,
            **sizes,
        )
        opened.append(gallery)
        return gallery

    def reopened(contract: str, **options: Any) -> LmdbGallery:
        opened.pop().close()
        return lmdb_gallery("data", contract, **options)

    yield Store(
        lmdb_gallery("data", CONTRACT),
        reopened,
        lambda: lmdb_gallery("small", CONTRACT, max_bytes=1 << 22),
        lambda: reopened(CONTRACT, crop_keys=CropKeys([b"k" * 32]), keep_crops=True),
    )
    for gallery in opened:
        gallery.close()


@pytest.fixture
def gallery(store: Store) -> Gallery:
    return store.gallery


def unit(*rows) -> np.ndarray:
    array = np.asarray(rows, np.float32)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


def random_unit(count: int, seed: int = 0) -> np.ndarray:
    return unit(*np.random.default_rng(seed).standard_normal((count, DIMENSION)))


def toward(degrees: float) -> np.ndarray:
    """A unit vector so many degrees away from the first axis."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[:2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def template_id(number: int) -> str:
    return f"{number:032x}"


def accepted(*numbers: int) -> list[EnrollmentResult]:
    return [
        EnrollmentResult(
            template_id(number),
            quality=ACCEPTED.quality,
            box=ACCEPTED.box,
            detection_score=ACCEPTED.detection_score,
        )
        for number in numbers
    ]


async def enroll(
    gallery: Gallery, identity_id: str, vectors, numbers, gallery_id="default", **kwargs
):
    return await gallery.enroll(
        gallery_id,
        NewIdentity(identity_id, create=True),
        accepted(*numbers),
        np.asarray(vectors, np.float32),
        **kwargs,
    )


async def found(
    gallery: Gallery, probe: np.ndarray, k: int = 10, gallery_id="default"
) -> list[str]:
    (candidates,) = (await gallery.search(gallery_id, probe[None], k)).candidates
    return [candidate.identity_id for candidate in candidates]


async def exported(gallery: Gallery, gallery_id: str = "default") -> list[GalleryRecord]:
    async with gallery.export_records(gallery_id) as (_, records):
        return [record async for record in records]


async def each(records: Iterable[GalleryRecord]) -> AsyncIterator[GalleryRecord]:
    for record in records:
        yield record


async def revision_of(gallery: Gallery, gallery_id: str) -> int:
    return (await gallery.get_gallery(gallery_id)).revision


# Galleries


async def test_the_default_gallery_is_there_and_empty(gallery: Gallery):
    info = await gallery.get_gallery(DEFAULT_GALLERY_ID)
    assert (info.gallery_id, info.display_name) == ("default", "default")
    assert (info.identity_count, info.template_count) == (0, 0)
    assert info.model_contract_id == CONTRACT
    assert info.revision == (await gallery.search(DEFAULT_GALLERY_ID, EMPTY, 1)).revision
    assert info.created_at_us > 1_600_000_000_000_000


CALLS_WITH_A_GALLERY = {
    "search": lambda g, name: g.search(name, EMPTY, 1),
    "check_searchable": lambda g, name: g.check_searchable(name),
    "mean_templates": lambda g, name: g.mean_templates(name, template_id(1)),
    "presence": lambda g, name: g.presence(name, ["a"]),
    "check_enrollable": lambda g, name: g.check_enrollable(name, NewIdentity("a", create=True)),
    "get_gallery": lambda g, name: g.get_gallery(name),
    "delete_gallery": lambda g, name: g.delete_gallery(name),
    "create_identity": lambda g, name: g.create_identity(name, "a", ""),
    "get_identity": lambda g, name: g.get_identity(name, "a"),
    "list_identities": lambda g, name: g.list_identities(name, "", 1),
    "update_identity": lambda g, name: g.update_identity(name, "a", "b"),
    "delete_identity": lambda g, name: g.delete_identity(name, "a"),
    "list_templates": lambda g, name: g.list_templates(name, "a", "", 1),
    "delete_template": lambda g, name: g.delete_template(name, template_id(1)),
    "merge_identities": lambda g, name: g.merge_identities(name, "a", "b"),
    "split_identity": lambda g, name: g.split_identity(name, "a", [template_id(1)], "b", ""),
    "remembered_enrollment": lambda g, name: g.remembered_enrollment(name, "r", b""),
    "enroll": lambda g, name: enroll(g, "a", EMPTY, [], gallery_id=name),
    "export_records": lambda g, name: exported(g, name),
    "import_records": lambda g, name: g.import_records(name, CONTRACT, each([])),
}


@pytest.mark.parametrize("call", CALLS_WITH_A_GALLERY.values(), ids=CALLS_WITH_A_GALLERY)
@pytest.mark.parametrize("name", ["nobody", "", "defaul", "default\0", "x" * 600, "É"])
async def test_every_call_on_a_gallery_that_is_not_there_raises(gallery: Gallery, call, name: str):
    with pytest.raises(GalleryNotFound):
        await call(gallery, name)


async def test_galleries_are_listed_in_order_of_id_page_by_page(gallery: Gallery):
    for name in ("staff.b", "staff", "staff-a", "0"):
        assert (await gallery.create_gallery(name, "")).display_name == name
    names = ["0", "default", "staff", "staff-a", "staff.b"]
    assert [one.gallery_id for one in await gallery.list_galleries("", 10)] == names
    assert [one.gallery_id for one in await gallery.list_galleries("", 2)] == names[:2]
    assert [one.gallery_id for one in await gallery.list_galleries("default", 2)] == names[2:4]
    assert [one.gallery_id for one in await gallery.list_galleries("dz", 9)] == names[2:]
    assert await gallery.list_galleries("staff.b", 9) == []


async def test_a_gallery_is_made_once_and_under_a_proper_id(gallery: Gallery):
    info = await gallery.create_gallery("staff", "The staff")
    assert info == await gallery.get_gallery("staff")
    assert (info.display_name, info.model_contract_id) == ("The staff", CONTRACT)
    with pytest.raises(GalleryExists):
        await gallery.create_gallery("staff", "")
    for name in ("", "Staff", "a/b", "a\0", "x" * 65, "a\n"):
        with pytest.raises(InvalidField):
            await gallery.create_gallery(name, "")


async def test_a_deleted_gallery_is_gone_with_all_in_it_and_leaves_its_neighbors(gallery: Gallery):
    for name in ("a", "a.b", "a-b"):
        await gallery.create_gallery(name, "")
        await enroll(gallery, "ann", random_unit(9), range(9), gallery_id=name, request_id="r")
    last = await revision_of(gallery, "a")
    assert await gallery.delete_gallery("a") == last + 1
    with pytest.raises(GalleryNotFound):
        await revision_of(gallery, "a")
    for name in ("a.b", "a-b"):
        assert (await gallery.get_gallery(name)).template_count == 9
        assert await found(gallery, random_unit(9)[4], gallery_id=name) == ["ann"]
        assert await gallery.remembered_enrollment(name, "r", b"") is not None


async def test_a_gallery_made_again_is_empty_and_never_shows_an_earlier_revision(gallery: Gallery):
    await gallery.create_gallery("a", "")
    await enroll(gallery, "ann", random_unit(9), range(9), gallery_id="a", request_id="r")
    last = await gallery.delete_gallery("a")
    info = await gallery.create_gallery("a", "")
    assert info.revision > last
    assert (info.identity_count, info.template_count) == (0, 0)
    assert await found(gallery, random_unit(1)[0], gallery_id="a") == []
    assert await gallery.list_identities("a", "", 9) == []
    assert await gallery.remembered_enrollment("a", "r", b"") is None
    with pytest.raises(TemplateNotFound):
        await gallery.delete_template("a", template_id(3))


async def test_deleting_the_default_gallery_empties_it(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(9), range(9), request_id="r")
    before = await gallery.get_gallery("default")
    assert await gallery.delete_gallery("default") == before.revision + 1
    after = await gallery.get_gallery("default")
    assert (after.identity_count, after.template_count) == (0, 0)
    assert (after.revision, after.created_at_us) == (before.revision + 1, before.created_at_us)
    assert await gallery.remembered_enrollment("default", "r", b"") is None
    await enroll(gallery, "ann", random_unit(9), range(9))
    assert await found(gallery, random_unit(9)[8]) == ["ann"]


# Identities


async def test_identities_are_made_read_renamed_and_deleted(gallery: Gallery):
    info, revision = await gallery.create_identity("default", "ann", "Ann")
    assert info == await gallery.get_identity("default", "ann")
    assert (info.display_name, info.template_count) == ("Ann", 0)
    assert revision == await revision_of(gallery, "default")
    with pytest.raises(IdentityExists):
        await gallery.create_identity("default", "ann", "")
    renamed, revision = await gallery.update_identity("default", "ann", "Anna")
    assert renamed == await gallery.get_identity("default", "ann")
    assert (renamed.display_name, renamed.created_at_us) == ("Anna", info.created_at_us)
    assert revision == await revision_of(gallery, "default")
    number = (await gallery.references("default", ["ann"]))["ann"].number
    assert await gallery.delete_identity("default", "ann") == (0, revision + 1, number)
    assert (await gallery.get_gallery("default")).identity_count == 0


async def test_an_identity_without_a_name_is_called_by_its_id(gallery: Gallery):
    assert (await gallery.create_identity("default", "ann", ""))[0].display_name == "ann"
    await enroll(gallery, "bob", random_unit(1), [1])
    assert (await gallery.get_identity("default", "bob")).display_name == "bob"


@pytest.mark.parametrize("identity_id", ["nobody", "", "an", "ann\0", "é" * 300])
async def test_an_identity_that_is_not_there_is_not_found(gallery: Gallery, identity_id: str):
    await gallery.create_identity("default", "ann", "")
    revision = await revision_of(gallery, "default")
    for call in (
        lambda: gallery.get_identity("default", identity_id),
        lambda: gallery.update_identity("default", identity_id, "x"),
        lambda: gallery.delete_identity("default", identity_id),
        lambda: gallery.list_templates("default", identity_id, "", 1),
        lambda: gallery.enroll("default", NewIdentity(identity_id), [REFUSED], EMPTY),
        lambda: gallery.check_enrollable("default", NewIdentity(identity_id)),
    ):
        with pytest.raises(IdentityNotFound):
            await call()
    assert await revision_of(gallery, "default") == revision


@pytest.mark.parametrize("identity_id", ["", "a\nb", "a\0", "x" * 129, "é" * 65, "\x85"])
async def test_what_is_no_identity_id_is_refused(gallery: Gallery, identity_id: str):
    with pytest.raises(InvalidField):
        await gallery.create_identity("default", identity_id, "")
    with pytest.raises(InvalidField):
        await enroll(gallery, identity_id, random_unit(1), [1])
    with pytest.raises(InvalidField):
        await gallery.import_records(
            "default", CONTRACT, each([IdentityInfo(identity_id, "x", 0, 0)])
        )
    assert (await gallery.get_gallery("default")).identity_count == 0


@pytest.mark.parametrize("identity_id", [" ", "\u200b", "ann ", "ann\ufeff", "\u202enna"])
async def test_an_id_that_cannot_be_seen_is_not_made(gallery: Gallery, identity_id: str):
    with pytest.raises(InvalidField, match=r"U\+") as caught:
        await gallery.create_identity("default", identity_id, "")
    assert caught.value.field == "identity_id"
    with pytest.raises(InvalidField):
        await gallery.check_enrollable("default", NewIdentity(identity_id, create=True))
    with pytest.raises(InvalidField):
        await enroll(gallery, identity_id, random_unit(1), [1])
    with pytest.raises(IdentityNotFound):
        await gallery.get_identity("default", identity_id)
    assert (await gallery.get_gallery("default")).identity_count == 0
    # One that an earlier version exported is imported, enrolled to and deleted.
    await gallery.import_records("default", CONTRACT, each([IdentityInfo(identity_id, "x", 0, 0)]))
    await enroll(gallery, identity_id, random_unit(1), [1])
    with pytest.raises(IdentityExists):
        await gallery.create_identity("default", identity_id, "")
    assert (await gallery.delete_identity("default", identity_id))[0] == 1


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))


async def test_two_spellings_of_an_id_are_one_identity(gallery: Gallery):
    made, _ = await gallery.create_identity("default", DECOMPOSED, "")
    assert (made.identity_id, made.display_name) == (COMPOSED, COMPOSED)
    for again in (COMPOSED, DECOMPOSED):
        with pytest.raises(IdentityExists):
            await gallery.create_identity("default", again, "")
    for number, spelling in enumerate((COMPOSED, DECOMPOSED), start=1):
        await gallery.check_enrollable("default", NewIdentity(spelling))
        await enroll(gallery, spelling, random_unit(1, number), [number])
        assert (await gallery.get_identity("default", spelling)).template_count == number
        changed, _ = await gallery.update_identity("default", spelling, f"Name {number}")
        assert (changed.identity_id, changed.display_name) == (COMPOSED, f"Name {number}")
        listed = await gallery.list_templates("default", spelling, "", 9)
        assert {one.identity_id for one in listed} == {COMPOSED}
        assert len(listed) == number
    (person,) = await gallery.list_identities("default", "", 9)
    assert (person.identity_id, person.template_count) == (COMPOSED, 2)
    assert await found(gallery, random_unit(1, 2)[0]) == [COMPOSED]
    assert (await gallery.delete_identity("default", DECOMPOSED))[0] == 2


async def test_spellings_that_an_earlier_version_stored_are_found_enrolled_to_and_deleted(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    def as_received(identity_id: str) -> str:
        return identity_id

    monkeypatch.setattr("facewire_server.backends.lmdb_gallery.transfer.composed", as_received)
    monkeypatch.setattr("fakes.gallery.composed", as_received)
    old = IdentityInfo(DECOMPOSED, "José", 0, 0)
    await gallery.import_records("default", CONTRACT, each([old]))
    (person,) = await gallery.list_identities("default", "", 9)
    assert person.identity_id == DECOMPOSED
    await enroll(gallery, COMPOSED, random_unit(1), [1])
    assert (await gallery.get_gallery("default")).identity_count == 1
    for spelling in (COMPOSED, DECOMPOSED):
        assert (await gallery.get_identity("default", spelling)).identity_id == DECOMPOSED
        (template,) = await gallery.list_templates("default", spelling, "", 9)
        assert template.identity_id == DECOMPOSED
    assert await found(gallery, random_unit(1)[0]) == [DECOMPOSED]
    assert (await gallery.delete_identity("default", COMPOSED))[0] == 1
    assert (await gallery.get_gallery("default")).identity_count == 0


async def test_an_import_of_both_spellings_makes_one_identity_of_them(gallery: Gallery):
    rows = random_unit(2)
    records: list[GalleryRecord] = []
    for number, spelling in enumerate((DECOMPOSED, COMPOSED)):
        records.append(IdentityInfo(spelling, f"Name {number}", 1, 0))
        info = TemplateInfo(template_id(number), spelling, Quality(64.0, 12.5, 99.0), 0.9, 0, "")
        records.append(ExportedTemplate(info, rows[number]))
    counts = await gallery.import_records("default", CONTRACT, each(records))
    assert (counts.identities_added, counts.templates_added) == (1, 2)
    (person,) = await gallery.list_identities("default", "", 9)
    assert (person.identity_id, person.display_name) == (COMPOSED, "Name 0")
    assert person.template_count == 2
    again = await gallery.import_records("default", CONTRACT, each(records))
    assert (again.identities_added, again.templates_skipped) == (0, 2)


async def test_identities_are_listed_in_order_of_their_bytes_page_by_page(gallery: Gallery):
    # In UTF-16 the last two would change places.
    ids = ["A", "Z", "a", "a b", "z", "é", "x" * 128, "\uffee", "\U00010000"]
    ids.sort(key=str.encode)
    for identity_id in reversed(ids):
        await gallery.create_identity("default", identity_id, "")
    await gallery.create_gallery("defaulu", "")
    await gallery.create_identity("defaulu", "of another gallery", "")
    listed, after = [], ""
    while page := await gallery.list_identities("default", after, 2):
        assert len(page) <= 2
        listed += [one.identity_id for one in page]
        after = listed[-1]
    assert listed == ids
    assert [one.identity_id for one in await gallery.list_identities("default", "a!", 1)] == [
        ids[ids.index("a b") + 1]
    ]
    assert await gallery.list_identities("default", "\U0010ffff" * 200, 1) == []


# Enrollment


async def test_enrolled_templates_are_kept_with_what_is_known_of_them(gallery: Gallery):
    answer = await gallery.enroll(
        "default",
        NewIdentity("ann", "Ann", create=True),
        [*accepted(7), REFUSED, *accepted(3)],
        random_unit(2),
        source="gate 4",
    )
    assert answer.results == (*accepted(7), REFUSED, *accepted(3))
    assert answer.revision == await revision_of(gallery, "default")
    identity = await gallery.get_identity("default", "ann")
    assert (identity.display_name, identity.template_count) == ("Ann", 2)
    first, second = await gallery.list_templates("default", "ann", "", 10)
    assert (first.template_id, second.template_id) == (template_id(7), template_id(3))
    assert (first.identity_id, first.source) == ("ann", "gate 4")
    assert (first.quality, first.detection_score) == (ACCEPTED.quality, 0.99)
    assert first.created_at_us >= identity.created_at_us
    info = await gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (1, 2)


async def test_templates_are_listed_oldest_first_page_by_page(gallery: Gallery):
    order = [9, 2, 30, 4, 11]
    for number in order:
        await enroll(gallery, "ann", random_unit(1), [number])
        await enroll(gallery, "bob", random_unit(1), [100 + number])
    listed, after = [], ""
    while page := await gallery.list_templates("default", "ann", after, 2):
        assert len(page) <= 2
        listed += [one.template_id for one in page]
        after = listed[-1]
    assert listed == [template_id(number) for number in order]
    for after in (template_id(100 + 9), template_id(77), "no id"):
        with pytest.raises(TemplateNotFound):
            await gallery.list_templates("default", "ann", after, 2)


async def test_a_template_is_read_by_its_id_whosever_it_is(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(2), [9, 2])
    await enroll(gallery, "bob", random_unit(1), [5])
    for identity_id, number in (("ann", 9), ("ann", 2), ("bob", 5)):
        template = await gallery.get_template("default", template_id(number))
        assert template.identity_id == identity_id
        assert template in await gallery.list_templates("default", identity_id, "", 10)
    await gallery.delete_template("default", template_id(5))
    for missing in (template_id(5), template_id(77), "no id"):
        with pytest.raises(TemplateNotFound):
            await gallery.get_template("default", missing)
    with pytest.raises(GalleryNotFound):
        await gallery.get_template("none", template_id(9))


async def test_people_are_copied_for_a_checkup_in_the_order_of_their_enrollment(gallery: Gallery):
    info, nobody = await gallery.enrolled_people("default", 0)
    assert (info.template_count, nobody is not None and nobody.identity_ids) == (0, ())
    one, other = random_unit(1), random_unit(1)
    await gallery.create_identity("default", "nobody", "")
    await enroll(gallery, "bob", np.concatenate([one, -one]), [1, 2])  # which disagree
    await enroll(gallery, "ann", np.concatenate([other, other, -other]), [5, 3, 4])
    await enroll(gallery, "cy", one, [6])
    info, people = await gallery.enrolled_people("default", 6)
    assert info == await gallery.get_gallery("default")
    assert people is not None
    assert people.identity_ids == ("bob", "ann", "cy")
    assert people.starts.tolist() == [0, 2, 3, 4]
    assert people.template_ids == tuple(template_id(number) for number in (1, 2, 5, 6))
    np.testing.assert_array_equal(people.means[[0, 1, 3]], np.concatenate([one, -one, one]))
    np.testing.assert_allclose(people.means[2:3], other, atol=1e-6)
    assert people.templates == tuple(
        (person, template_id(number), QUALITY, number != 4)
        for person, number in ((0, 1), (0, 2), (1, 5), (1, 3), (1, 4), (2, 6))
    )
    vectors = np.concatenate([one, -one, other, other, -other, one])
    np.testing.assert_array_equal(people.embeddings, vectors)
    assert (await gallery.enrolled_people("default", 5))[1] is None
    with pytest.raises(GalleryNotFound):
        await gallery.enrolled_people("none", 5)


async def test_an_enrollment_with_nothing_accepted_writes_nothing(gallery: Gallery):
    revision = await revision_of(gallery, "default")
    answer = await gallery.enroll(
        "default", NewIdentity("ann", create=True), [REFUSED], EMPTY, request_id="r"
    )
    assert (answer.results, answer.revision) == ((REFUSED,), revision)
    assert await revision_of(gallery, "default") == revision
    with pytest.raises(IdentityNotFound):
        await gallery.get_identity("default", "ann")
    assert await gallery.remembered_enrollment("default", "r", b"") is None


async def test_an_existing_identity_keeps_its_name_and_gains_templates(gallery: Gallery):
    await gallery.create_identity("default", "ann", "Ann")
    await gallery.enroll("default", NewIdentity("ann", "Other"), accepted(1), random_unit(1))
    await enroll(gallery, "ann", random_unit(1), [2])
    identity = await gallery.get_identity("default", "ann")
    assert (identity.display_name, identity.template_count) == ("Ann", 2)


@pytest.mark.parametrize(
    "embeddings",
    [
        random_unit(1)[:, :-1],
        random_unit(1) * 1.01,
        np.zeros((1, DIMENSION), np.float32),
        np.full((1, DIMENSION), np.nan, np.float32),
        random_unit(1)[0],
    ],
    ids=["short", "long", "zero", "not a number", "one-dimensional"],
)
async def test_embeddings_of_the_wrong_shape_or_length_are_refused(gallery: Gallery, embeddings):
    with pytest.raises(InvalidField):
        await gallery.enroll("default", NewIdentity("a", create=True), accepted(1), embeddings)
    with pytest.raises(InvalidField):
        await gallery.search("default", embeddings, 1)
    assert (await gallery.get_gallery("default")).identity_count == 0


async def test_accepted_pictures_and_embeddings_must_match_in_number(gallery: Gallery):
    with pytest.raises(ValueError, match="accepted"):
        await gallery.enroll(
            "default", NewIdentity("a", create=True), accepted(1, 2), random_unit(1)
        )


async def test_a_template_id_is_used_once_in_a_gallery(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(1), [1])
    revision = await revision_of(gallery, "default")
    for numbers in ([1], [2, 2]):
        with pytest.raises(InvalidField):
            await enroll(gallery, "bob", random_unit(len(numbers)), numbers)
    with pytest.raises(InvalidField):
        await gallery.enroll(
            "default",
            NewIdentity("bob", create=True),
            [EnrollmentResult("not hexadecimal")],
            random_unit(1),
        )
    assert await revision_of(gallery, "default") == revision
    assert [one.identity_id for one in await gallery.list_identities("default", "", 9)] == ["ann"]
    await gallery.create_gallery("other", "")
    await enroll(gallery, "ann", random_unit(1), [1], gallery_id="other")


async def test_a_search_counts_the_identities_that_it_can_find(gallery: Gallery) -> None:
    async def counted() -> int:
        return (await gallery.search("default", random_unit(1), 1)).identity_count

    assert await counted() == 0
    for person in ("ann", "bob", "cid"):
        await gallery.create_identity("default", person, "")
    assert await counted() == 0, "no identity has a template"
    first = await enroll(gallery, "ann", random_unit(1), [1])
    assert (await counted(), first.identity_count) == (1, 1)
    await enroll(gallery, "bob", random_unit(1, 2), [2])
    third = await enroll(gallery, "cid", random_unit(4, 3), [3, 4, 5, 6])
    assert (await counted(), third.identity_count) == (3, 3)
    assert (await gallery.get_gallery("default")).enrolled_count == 3
    nothing = await gallery.enroll("default", NewIdentity("cid"), [REFUSED], EMPTY)
    assert nothing.identity_count == 3
    await gallery.delete_identity("default", "bob")
    assert await counted() == 2


async def test_a_repeated_request_gets_the_first_answer_and_enrolls_nothing(gallery: Gallery):
    first = await gallery.enroll(
        "default",
        NewIdentity("ann", create=True),
        [*accepted(1), REFUSED],
        random_unit(1),
        request_id="r",
        fingerprint=b"f",
    )
    await enroll(gallery, "bob", random_unit(1), [2])
    revision = await revision_of(gallery, "default")
    again = await enroll(gallery, "ann", random_unit(1, 5), [9], request_id="r", fingerprint=b"f")
    # The count is the present one: the threshold in force is of the gallery as it is.
    assert (first.identity_count, again.identity_count) == (1, 2)
    assert again == replace(first, identity_count=2)
    assert await gallery.remembered_enrollment("default", "r", b"f") == again
    assert await revision_of(gallery, "default") == revision
    assert (await gallery.get_identity("default", "ann")).template_count == 1
    for other in (b"g", b""):
        with pytest.raises(RequestIdReused):
            await gallery.remembered_enrollment("default", "r", other)
        with pytest.raises(RequestIdReused):
            await enroll(gallery, "ann", random_unit(1), [9], request_id="r", fingerprint=other)
    assert await gallery.remembered_enrollment("default", "r2", b"f") is None
    assert await gallery.remembered_enrollment("default", "", b"") is None


async def test_the_oldest_requests_are_forgotten_first(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    assert memory.ENROLLMENTS_KEPT == 10_000
    monkeypatch.setattr(memory, "ENROLLMENTS_KEPT", 3)
    await gallery.create_gallery("other", "")
    await enroll(gallery, "ann", random_unit(1), [99], gallery_id="other", request_id="z")
    for number in (5, 4, 3, 2, 1):
        await enroll(gallery, "ann", random_unit(1), [number], request_id=f"{number}")
    kept = [n for n in range(6) if await gallery.remembered_enrollment("default", f"{n}", b"")]
    assert kept == [1, 2, 3]
    assert await gallery.remembered_enrollment("other", "z", b"") is not None


# Search


async def test_search_answers_identities_nearest_first_by_the_mean_of_their_templates(
    gallery: Gallery,
):
    await gallery.create_identity("default", "without templates", "")
    await enroll(gallery, "ann", [toward(60), toward(30)], [1, 2])
    await enroll(gallery, "ann", [toward(45)], [3])
    await enroll(gallery, "bob", [toward(40), toward(20)], [5, 4])
    await enroll(gallery, "cid", [toward(120)], [6])
    result = await gallery.search("default", np.stack([toward(0), toward(81)]), 2)
    assert result.revision == await revision_of(gallery, "default")
    first, second = result.candidates
    assert [(one.identity_id, one.template_id) for one in first] == [
        ("bob", template_id(5)),
        ("ann", template_id(1)),
    ]
    assert [(one.identity_id, one.template_id) for one in second] == [
        ("ann", template_id(1)),
        ("cid", template_id(6)),
    ]
    assert first[0].similarity == pytest.approx(np.cos(np.radians(30)), abs=1e-6)
    assert first[1].similarity == pytest.approx(np.cos(np.radians(45)), abs=1e-6)
    assert first[0].display_name == "bob"


async def test_templates_that_disagree_stay_apart_until_a_third_decides(gallery: Gallery):
    await enroll(gallery, "ann", [toward(0), toward(100)], [1, 2])

    async def seen() -> dict[int, float]:
        probes = np.stack([toward(one) for one in (0, 100, 10)])
        found = (await gallery.search("default", probes, 1)).candidates
        return {
            one: round(best.similarity, 4) for one, (best,) in zip((0, 100, 10), found, strict=True)
        }

    assert await seen() == {0: 1.0, 100: 1.0, 10: 0.9848}
    await enroll(gallery, "ann", [toward(20)], [3])
    assert await seen() == {0: 0.9848, 100: 0.0, 10: 1.0}
    listed = await gallery.list_templates("default", "ann", "", 9)
    assert [one.template_id for one in listed] == [template_id(one) for one in (1, 2, 3)]
    await gallery.delete_template("default", template_id(1))
    assert await seen() == {0: 0.9397, 100: 1.0, 10: 0.9848}
    await gallery.delete_template("default", template_id(2))
    assert await seen() == {0: 0.9397, 100: 0.1736, 10: 0.9848}


async def test_the_templates_of_the_mean_that_was_found_are_listed(gallery: Gallery):
    same, other = random_unit(1, seed=4)[0], random_unit(1, seed=5)[0]
    await enroll(gallery, "ann", [same, other, same], [3, 1, 2])
    (candidates,) = (await gallery.search("default", same[None], 1)).candidates
    listed = await gallery.mean_templates("default", candidates[0].template_id)
    assert listed == (template_id(3), template_id(2))
    for one in (1, 2, 9):  # in no mean, not the oldest, not there
        assert await gallery.mean_templates("default", template_id(one)) == ()


async def test_what_a_deleted_template_added_to_the_mean_is_gone(gallery: Gallery):
    for number in range(12):  # so that means move when others go
        await enroll(gallery, f"p{number}", random_unit(1, number), [100 + number])
    await enroll(gallery, "ann", [toward(0), toward(60)], [1, 2])
    await gallery.delete_identity("default", "p3")
    ((best,),) = (await gallery.search("default", toward(30)[None], 1)).candidates
    assert best.similarity == pytest.approx(1, abs=1e-6)
    await gallery.delete_template("default", template_id(1))
    ((best,),) = (await gallery.search("default", toward(60)[None], 1)).candidates
    assert best.template_id == template_id(2)
    assert best.similarity == pytest.approx(1, abs=1e-6)
    for number in (0, 1, 2, *range(4, 12)):
        ((best,),) = (await gallery.search("default", random_unit(1, number), 1)).candidates
        assert best.identity_id == f"p{number}"
        assert best.similarity == pytest.approx(1, abs=1e-6)


async def test_a_search_tells_how_much_the_people_resemble_one_another(gallery: Gallery):
    async def pairs() -> GalleryPairs:
        return (await gallery.search("default", random_unit(1), 1)).pairs

    assert await pairs() == GalleryPairs()
    vectors = random_unit(12, 4)
    for number, vector in enumerate(vectors):
        done = await enroll(gallery, f"{number}", vector[None], [number])
    people = np.arange(12)
    found = await pairs()
    assert found == gallery_pairs(vectors, people, vectors, people)
    assert found.identity_count == 12
    assert done.pairs == found == (await gallery.get_gallery("default")).pairs
    await gallery.delete_identity("default", "11")
    left = vectors[:11]
    assert await pairs() == gallery_pairs(left, people[:11], left, people[:11])
    await gallery.update_identity("default", "10", "Another name")
    assert (await pairs()).identity_count == 11
    await gallery.delete_gallery("default")
    assert await pairs() == GalleryPairs()


async def test_an_enrollment_of_another_picture_tells_how_far_the_mean_is_from_one(
    gallery: Gallery,
):
    async def cohesion() -> float:
        return (await gallery.search("default", random_unit(1), 1)).pairs.cohesion

    await enroll(gallery, "ann", toward(0)[None], [1])
    assert await cohesion() == 1
    done = await enroll(gallery, "ann", toward(60)[None], [2])
    assert await cohesion() == done.pairs.cohesion == pytest.approx(np.cos(np.pi / 6), abs=1e-5)
    await enroll(gallery, "bob", random_unit(1, 7), [3])
    expected = 2 / (1 + 1 / np.cos(np.pi / 6))
    assert await cohesion() == pytest.approx(expected, abs=1e-5)
    await enroll(gallery, "bob", -random_unit(1, 7), [4])  # another person's: searched each alone
    assert await cohesion() == pytest.approx(3 / (2 + 1 / np.cos(np.pi / 6)), abs=1e-5)
    await gallery.delete_template("default", template_id(1))
    assert await cohesion() == 1


async def test_search_answers_all_identities_where_there_are_fewer_than_k(gallery: Gallery):
    probe = random_unit(1)
    assert (await gallery.search("default", probe, 5)).candidates == ((),)
    await enroll(gallery, "ann", random_unit(3), [1, 2, 3])
    assert await found(gallery, probe[0], 5) == ["ann"]
    assert (await gallery.search("default", EMPTY, 5)).candidates == ()
    with pytest.raises(ValueError, match="k"):
        await gallery.search("default", probe, 0)


async def test_equal_similarities_are_ordered_by_identity_id_and_then_by_age(gallery: Gallery):
    same = random_unit(1)[0]
    ids = ["b", "\U00010000", "a", "\uffee", "ab", "Z"]
    for number, identity_id in enumerate(ids):
        await gallery.create_identity("default", identity_id, "")
        await enroll(gallery, identity_id, [same, same], [100 * number + 11, 100 * number + 10])
    (candidates,) = (await gallery.search("default", same[None], 4)).candidates
    assert [one.identity_id for one in candidates] == sorted(ids, key=str.encode)[:4]
    assert len({one.similarity for one in candidates}) == 1
    assert all(
        one.template_id.endswith(f"{11 + 100 * ids.index(one.identity_id):x}") for one in candidates
    )


async def test_one_identity_with_the_best_templates_does_not_crowd_others_out(gallery: Gallery):
    await enroll(gallery, "crowd", [toward(one / 100) for one in range(400)], range(400))
    await enroll(gallery, "far", [toward(60)], [1001])
    await enroll(gallery, "farther", [toward(90)], [1002])
    assert await found(gallery, toward(0), 3) == ["crowd", "far", "farther"]


async def test_a_probe_gets_the_same_answer_alone_and_among_others(gallery: Gallery):
    for number, vector in enumerate(random_unit(60)):
        await enroll(gallery, f"{number % 20}", vector[None], [number])
    probes = random_unit(7, seed=1)
    together = (await gallery.search("default", probes, 6)).candidates
    alone = [(await gallery.search("default", probe[None], 6)).candidates[0] for probe in probes]
    assert together == tuple(alone)


async def test_the_next_search_after_a_deletion_does_not_find_what_was_deleted(gallery: Gallery):
    vectors = random_unit(40)
    for number in range(20):
        await enroll(
            gallery, f"{number}", vectors[2 * number : 2 * number + 2], [2 * number, 2 * number + 1]
        )
    number, revision = await gallery.delete_template("default", template_id(0))
    assert revision == await revision_of(gallery, "default")
    gone = await gallery.delete_identity("default", "7")
    assert gone[:2] == (2, await revision_of(gallery, "default"))
    assert (await gallery.delete_template("default", template_id(39)))[0] != number
    left = {0: {1}, 7: set(), 19: {38}}
    for number in range(20):
        for own in (2 * number, 2 * number + 1):
            (best,) = (await gallery.search("default", vectors[own][None], 1)).candidates[0]
            kept = own in left.get(number, {own})
            assert (best.similarity > 0.999) == kept
            assert (best.template_id == template_id(own)) == kept
    with pytest.raises(TemplateNotFound):
        await gallery.delete_template("default", template_id(0))
    with pytest.raises(TemplateNotFound):
        await gallery.delete_template("default", "no id")
    info = await gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (19, 36)
    assert (await gallery.get_identity("default", "0")).template_count == 1


async def test_an_identity_stays_without_templates_and_can_gain_new_ones(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(1), [1])
    await gallery.delete_template("default", template_id(1))
    assert (await gallery.get_identity("default", "ann")).template_count == 0
    assert await found(gallery, random_unit(1)[0]) == []
    await enroll(gallery, "ann", random_unit(1), [1])
    assert await found(gallery, random_unit(1)[0]) == ["ann"]


async def test_a_deleted_identity_is_forgotten_with_its_requests(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(1), [1], request_id="of ann")
    await enroll(gallery, "bob", random_unit(1), [2], request_id="of bob")
    await gallery.delete_identity("default", "ann")
    assert await gallery.remembered_enrollment("default", "of ann", b"") is None
    assert await gallery.remembered_enrollment("default", "of bob", b"") is not None
    await enroll(gallery, "ann", random_unit(1), [1], request_id="of ann")
    assert (await gallery.get_identity("default", "ann")).template_count == 1


async def test_a_stream_learns_that_a_gallery_has_changed_and_whom_it_lacks(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(1), [1])
    await enroll(gallery, "bob", random_unit(2)[1:], [2])
    before = await gallery.presence("default", ["ann", "bob", "eve"])
    assert before == (await revision_of(gallery, "default"), frozenset({"eve"}))
    assert await gallery.presence("default", ["ann", "bob", "eve"]) == before
    await gallery.delete_identity("default", "ann")
    after = await gallery.presence("default", ["ann", "bob"])
    assert after == (before.revision + 1, frozenset({"ann"}))
    assert await gallery.presence("default") == (after.revision, frozenset())


async def test_a_reference_stands_for_a_person_until_they_are_deleted(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(1), [1])
    await gallery.create_identity("default", "bob", "Bob B.")
    references = await gallery.references("default", ["ann", "bob", "eve"])
    assert references.keys() == {"ann", "bob"}
    people = await gallery.names(references.values())
    assert people[references["bob"]] == ("bob", "Bob B.")
    await gallery.update_identity("default", "bob", "Robert")
    assert (await gallery.names([references["bob"]]))[references["bob"]].display_name == "Robert"
    before = gallery.change_count()
    await gallery.delete_identity("default", "ann")
    assert gallery.change_count() != before
    assert (await gallery.names(references.values())).keys() == {references["bob"]}
    assert await gallery.names([]) == {}
    assert await gallery.references("none", ["ann"]) == {}


async def test_a_reference_finds_a_person_in_any_spelling(gallery: Gallery):
    await gallery.create_identity("default", "Zo\u00eb", "")
    (reference,) = (await gallery.references("default", ["Zoe\u0308"])).values()
    assert (await gallery.names([reference]))[reference].identity_id == "Zo\u00eb"


async def test_a_reference_never_stands_for_another_person(gallery: Gallery):
    """Also if the gallery was deleted, or emptied, and made again with as many people."""
    seen = set()
    for _ in range(3):
        await gallery.create_gallery("other", "")
        for gallery_id in ("default", "other"):
            for person in ("ann", "bob"):
                await gallery.create_identity(gallery_id, person, "")
            (ann,) = (await gallery.references(gallery_id, ["ann"])).values()
            seen.add((ann.gallery_id, ann.number))
            await gallery.delete_identity(gallery_id, "ann")
            await gallery.create_identity(gallery_id, "ann", "")
            (ann,) = (await gallery.references(gallery_id, ["ann"])).values()
            seen.add((ann.gallery_id, ann.number))
            await gallery.delete_gallery(gallery_id)
            assert await gallery.names([ann]) == {}
    assert len(seen) == 12
    assert await gallery.names([PersonReference("default", 1, 0)]) == {}


async def test_galleries_are_searched_apart(gallery: Gallery):
    await gallery.create_gallery("other", "")
    await enroll(gallery, "ann", random_unit(1), [1])
    await enroll(gallery, "bob", random_unit(1), [1], gallery_id="other")
    assert await found(gallery, random_unit(1)[0]) == ["ann"]
    assert await found(gallery, random_unit(1)[0], gallery_id="other") == ["bob"]


# Revisions and contracts


async def test_every_write_raises_the_revision_of_its_gallery_only(gallery: Gallery):
    await gallery.create_gallery("other", "")
    other = await revision_of(gallery, "other")
    writes: list[tuple[Callable[[], Awaitable[Any]], Callable[[Any], int]]] = [
        (lambda: gallery.create_identity("default", "ann", ""), lambda done: done[1]),
        (lambda: gallery.update_identity("default", "ann", "Ann"), lambda done: done[1]),
        (lambda: enroll(gallery, "ann", random_unit(2), [1, 2]), lambda done: done.revision),
        (lambda: gallery.delete_template("default", template_id(1)), lambda done: done[1]),
        (lambda: gallery.delete_identity("default", "ann"), lambda done: done[1]),
        (
            lambda: gallery.import_records(
                "default", CONTRACT, each([IdentityInfo("bob", "Bob", 0, 5)])
            ),
            lambda done: done.revision,
        ),
        (lambda: gallery.delete_gallery("default"), int),
    ]
    for write, revision in writes:
        before = await revision_of(gallery, "default")
        done = revision(await write())
        assert done == await revision_of(gallery, "default") == before + 1
    assert await revision_of(gallery, "other") == other


async def test_another_contract_may_read_and_delete_but_neither_search_nor_add(store: Store):
    await enroll(store.gallery, "ann", random_unit(2), [1, 2], request_id="r")
    gallery = store.under_contract(OTHER_CONTRACT)
    assert (await gallery.get_gallery("default")).model_contract_id == CONTRACT
    for name in (
        "search",
        "check_searchable",
        "presence",
        "enroll",
        "check_enrollable",
        "export_records",
        "import_records",
    ):
        with pytest.raises(ModelContractMismatch):
            await CALLS_WITH_A_GALLERY[name](gallery, "default")
    with pytest.raises(ModelContractMismatch):
        await gallery.import_records("default", OTHER_CONTRACT, each([]))
    assert await gallery.remembered_enrollment("default", "r", b"") is not None
    assert len(await gallery.list_templates("default", "ann", "", 9)) == 2
    await gallery.delete_template("default", template_id(1))
    assert (await gallery.delete_identity("default", "ann"))[0] == 1
    await gallery.create_gallery("new", "")
    await enroll(gallery, "ann", random_unit(1), [1], gallery_id="new")
    assert await found(gallery, random_unit(1)[0], gallery_id="new") == ["ann"]


async def test_the_default_gallery_takes_the_contract_of_who_empties_it(store: Store):
    await enroll(store.gallery, "ann", random_unit(2), [1, 2])
    gallery = store.under_contract(OTHER_CONTRACT)
    await gallery.delete_gallery("default")
    assert (await gallery.get_gallery("default")).model_contract_id == OTHER_CONTRACT
    await enroll(gallery, "ann", random_unit(2), [1, 2])
    assert await found(gallery, random_unit(2)[1]) == ["ann"]


# Export and import


async def test_an_export_holds_each_identity_followed_by_its_templates(gallery: Gallery):
    vectors = random_unit(30)
    for number in range(30):
        await enroll(gallery, "cab"[number % 3], vectors[number][None], [number], source="s")
    await gallery.create_identity("default", "z", "Zoe")
    async with gallery.export_records("default") as (info, opened):
        records = [record async for record in opened]
    assert info == await gallery.get_gallery("default")
    listed: list = []
    for identity in await gallery.list_identities("default", "", 99):
        listed.append(identity)
        listed += await gallery.list_templates("default", identity.identity_id, "", 99)
    assert [one.info if isinstance(one, ExportedTemplate) else one for one in records] == listed
    for record in records:
        if isinstance(record, ExportedTemplate):
            expected = vectors[int(record.info.template_id, 16)]
            assert record.embedding.dtype == np.float32
            np.testing.assert_array_equal(record.embedding, expected)


async def test_an_exported_embedding_is_the_receivers_own(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(1), [1])
    template = (await exported(gallery))[1]
    assert isinstance(template, ExportedTemplate)
    template.embedding[:] = 0
    assert (await gallery.search("default", random_unit(1), 1)).candidates[0][0].similarity > 0.999


async def test_an_export_shows_one_moment_whatever_is_written_meanwhile(gallery: Gallery):
    vectors = random_unit(600)
    for number in range(0, 600, 20):
        await enroll(
            gallery, f"{number:03}", vectors[number : number + 20], range(number, number + 20)
        )
    async with gallery.export_records("default") as (info, records):
        got = [await anext(records)]
        await gallery.delete_identity("default", "000")
        await gallery.delete_identity("default", "300")
        await enroll(gallery, "zoe", random_unit(1), [9999])
        await gallery.update_identity("default", "580", "renamed")
        got += [record async for record in records]
    identities = [one for one in got if isinstance(one, IdentityInfo)]
    assert [one.display_name for one in identities] == [f"{n:03}" for n in range(0, 600, 20)]
    templates = [one for one in got if isinstance(one, ExportedTemplate)]
    assert len(templates) == info.template_count == 600
    for template in templates:
        np.testing.assert_array_equal(
            template.embedding, vectors[int(template.info.template_id, 16)]
        )


async def test_an_export_is_whole_however_much_is_in_it(gallery: Gallery):
    vectors = random_unit(150)
    await enroll(gallery, "crowd", vectors, range(150))
    for number in range(140):
        await gallery.create_identity("default", f"person-{number:03}", "")
    records = await exported(gallery)
    templates = [one.info.template_id for one in records if isinstance(one, ExportedTemplate)]
    assert templates == [template_id(number) for number in range(150)]
    people = [one.identity_id for one in records if isinstance(one, IdentityInfo)]
    assert people == ["crowd", *(f"person-{number:03}" for number in range(140))]


async def test_an_export_may_be_closed_early(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(3), [1, 2, 3])
    for read in (0, 2):
        async with gallery.export_records("default") as (_, records):
            for _ in range(read):
                await anext(records)
        assert [record async for record in records] == []


async def test_what_was_exported_can_be_imported(gallery: Gallery):
    for number in range(30):
        await enroll(gallery, "cab"[number % 3], random_unit(1, number), [number], source="s")
    await gallery.create_identity("default", "z", "Zoe")
    await gallery.create_gallery("copy", "")
    before = await revision_of(gallery, "copy")
    async with gallery.export_records("default") as (_, records):
        counts = await gallery.import_records("copy", CONTRACT, records)
    assert (counts.identities_added, counts.templates_added, counts.templates_skipped) == (4, 30, 0)
    assert counts.revision == await revision_of(gallery, "copy") == before + 1
    copied, original = await exported(gallery, "copy"), await exported(gallery)
    assert len(copied) == len(original) == 34
    for one, other in zip(copied, original, strict=True):
        if isinstance(one, IdentityInfo):
            assert one == other
        else:
            assert isinstance(other, ExportedTemplate)
            assert one.info == other.info
            np.testing.assert_array_equal(one.embedding, other.embedding)
    probe = random_unit(1, seed=77)
    assert await found(gallery, probe[0], gallery_id="copy") == await found(gallery, probe[0])


async def test_an_import_sent_again_changes_nothing(gallery: Gallery):
    await enroll(gallery, "ann", random_unit(3), [1, 2, 3])
    records = await exported(gallery)
    await gallery.update_identity("default", "ann", "Renamed")
    await gallery.delete_template("default", template_id(2))
    counts = await gallery.import_records("default", CONTRACT, each(records))
    assert (counts.identities_added, counts.templates_added, counts.templates_skipped) == (0, 1, 2)
    revision = await revision_of(gallery, "default")
    counts = await gallery.import_records("default", CONTRACT, each(records))
    assert (counts.identities_added, counts.templates_added, counts.templates_skipped) == (0, 0, 3)
    assert counts.revision == await revision_of(gallery, "default") == revision
    identity = await gallery.get_identity("default", "ann")
    assert (identity.display_name, identity.template_count) == ("Renamed", 3)


def _with_embedding(record: ExportedTemplate, embedding: np.ndarray) -> ExportedTemplate:
    return ExportedTemplate(record.info, embedding)


@pytest.mark.parametrize("fault", ["order", "start", "dimension", "length", "id"])
async def test_an_import_with_a_record_at_fault_keeps_the_parts_before_it(
    gallery: Gallery, fault: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(transfer, "_PART_RECORDS", 2)
    await gallery.create_gallery("source", "")
    await enroll(gallery, "ann", random_unit(1), [1], gallery_id="source")
    await enroll(gallery, "bob", random_unit(1, 2), [2], gallery_id="source")
    ann, template_of_ann, bob, template_of_bob = await exported(gallery, "source")
    assert isinstance(template_of_bob, ExportedTemplate)
    short = _with_embedding(template_of_bob, np.ones(1, np.float32))
    long = _with_embedding(template_of_bob, 2 * template_of_bob.embedding)
    records, error = {
        "order": ([ann, template_of_ann, bob, template_of_ann], OutOfOrder),
        "start": ([template_of_ann], OutOfOrder),
        "dimension": ([ann, template_of_ann, bob, short], InvalidField),
        "length": ([ann, template_of_ann, bob, long], InvalidField),
        "id": ([ann, template_of_ann, IdentityInfo("\n", "", 0, 0)], InvalidField),
    }[fault]
    parts: list[ImportCounts] = []
    with pytest.raises(error):
        await gallery.import_records("default", CONTRACT, each(records), committed=parts.append)
    info = await gallery.get_gallery("default")
    kept = 0 if fault == "start" else 1
    assert (info.identity_count, info.template_count) == (kept, kept)
    assert parts == [ImportCounts(1, 1, 0, info.revision)] * kept


async def test_what_a_cancelled_import_committed_is_known(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(transfer, "_PART_RECORDS", 2)
    await gallery.create_gallery("source", "")
    await enroll(gallery, "ann", random_unit(1), [1], gallery_id="source")
    part = await exported(gallery, "source")
    parts: list[ImportCounts] = []

    async def records():
        yield part[0]
        # It takes effect at the next wait: that for the commit, where the store waits for one.
        asyncio.get_running_loop().call_soon(importing.cancel)
        yield part[1]
        await asyncio.Event().wait()

    importing = asyncio.create_task(
        gallery.import_records("default", CONTRACT, records(), committed=parts.append)
    )
    with pytest.raises(asyncio.CancelledError):
        await importing
    info = await gallery.get_gallery("default")
    assert info.template_count == sum(counts.templates_added for counts in parts)
    assert info.identity_count == sum(counts.identities_added for counts in parts)


async def test_nothing_of_an_import_is_read_if_the_gallery_is_not_there(gallery: Gallery):
    records = each([IdentityInfo("ann", "", 0, 0)])
    with pytest.raises(GalleryNotFound):
        await gallery.import_records("nobody", CONTRACT, records)
    assert len([record async for record in records]) == 1


async def test_an_import_made_under_another_contract_is_refused(gallery: Gallery):
    with pytest.raises(ModelContractMismatch):
        await gallery.import_records(
            "default", OTHER_CONTRACT, each([IdentityInfo("ann", "", 0, 0)])
        )
    assert (await gallery.get_gallery("default")).identity_count == 0


# Limits, concurrency, statistics


async def test_searches_at_once_return_what_each_of_them_returns_alone(gallery):
    vectors = random_unit(30)
    for number in range(30):
        await enroll(gallery, f"{number % 10}", vectors[[number]], [number])
    callers = [(vectors[number : number + number % 4], 1 + number % 3) for number in range(20)]
    alone = [await gallery.search("default", *caller) for caller in callers]
    assert await asyncio.gather(*(gallery.search("default", *one) for one in callers)) == alone
    calls = (gallery.search(name, vectors[:1], 1) for name in ("default", "none", "none"))
    first, *others = await asyncio.gather(*calls, return_exceptions=True)
    assert not isinstance(first, BaseException)
    assert first.candidates[0][0].identity_id == "0"
    assert [type(one) for one in others] == [GalleryNotFound] * 2


async def test_a_full_storage_writes_nothing_and_still_deletes(store: Store):
    gallery = store.small()
    vectors = random_unit(10)
    count = 0
    with pytest.raises(GalleryFull):  # noqa: PT012  # whichever write is the first without room
        for count in range(10_000):
            await enroll(gallery, f"{count}", vectors, range(10 * count, 10 * count + 10))
    info = await gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (count, 10 * count)
    assert count > 0
    with pytest.raises(IdentityNotFound):
        await gallery.get_identity("default", f"{count}")
    with pytest.raises(GalleryFull):
        await enroll(gallery, f"{count}", vectors, range(10 * count, 10 * count + 10))
    assert await found(gallery, vectors[3], 1) == ["0"]
    for number in range(count):
        assert (await gallery.delete_identity("default", f"{number}"))[0] == 10
    await enroll(gallery, "new", vectors, range(10))
    assert await found(gallery, vectors[3]) == ["new"]


async def test_concurrent_calls_lose_nothing(gallery: Gallery):
    vectors = random_unit(80)

    async def work(worker: int) -> None:
        for number in range(20 * worker, 20 * worker + 20):
            await enroll(gallery, f"{number}", vectors[number][None], [number])
            (best,) = (await gallery.search("default", vectors[number][None], 1)).candidates[0]
            assert best.identity_id == f"{number}"

    await asyncio.gather(*map(work, range(4)))
    info = await gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (80, 80)


async def test_the_statistics_hold_the_size_of_each_gallery(gallery: Gallery):
    await gallery.create_gallery("a", "")
    await enroll(gallery, "ann", random_unit(3), [1, 2, 3], gallery_id="a")
    await gallery.create_identity("a", "bob", "")
    statistics = await gallery.statistics()
    assert statistics.galleries == (
        GallerySize("a", await revision_of(gallery, "a"), 2, 3),
        GallerySize("default", await revision_of(gallery, "default"), 0, 0),
    )


async def test_no_enrollment_of_a_new_identity_begins_under_an_id_that_is_none(gallery: Gallery):
    await gallery.check_enrollable("default", NewIdentity("ann", create=True))
    with pytest.raises(InvalidField):
        await gallery.check_enrollable("default", NewIdentity("a\nb", create=True))


def crops_of(count: int, seed: int = 3) -> np.ndarray:
    """Crops whose every pixel differs."""
    return np.random.default_rng(seed).integers(0, 256, (count, 112, 112, 3), np.uint8)


async def kept(gallery: Gallery, *numbers: int, gallery_id: str = "default") -> list[Any]:
    return [await gallery.kept_crop(gallery_id, template_id(one)) for one in numbers]


async def test_a_template_keeps_its_own_crop_to_the_last_bit(store: Store) -> None:
    gallery, crops = store.keeping(), crops_of(3)
    await enroll(gallery, "ada", random_unit(2), [1, 2], crops=crops[:2])
    await enroll(gallery, "bo", random_unit(1), [3], crops=crops[2:])
    for found, crop in zip(await kept(gallery, 1, 2, 3), crops, strict=True):
        np.testing.assert_array_equal(found, crop)
    with pytest.raises(TemplateNotFound):
        await gallery.kept_crop("default", template_id(4))
    with pytest.raises(GalleryNotFound):
        await gallery.kept_crop("none", template_id(1))


async def test_a_crop_goes_with_its_template_its_person_and_its_gallery(store: Store) -> None:
    gallery, crops = store.keeping(), crops_of(3)
    await gallery.create_gallery("door", "")
    for gallery_id in ("default", "door"):
        await enroll(gallery, "ada", random_unit(2), [1, 2], gallery_id, crops=crops[:2])
        await enroll(gallery, "bo", random_unit(1), [3], gallery_id, crops=crops[2:])
    await gallery.delete_template("default", template_id(1))
    await gallery.delete_identity("default", "bo")
    await gallery.delete_gallery("door")
    # The same ids without a crop: one that was left behind would be found under them.
    await enroll(gallery, "ada", random_unit(1, 5), [1])
    await enroll(gallery, "bo", random_unit(1, 6), [3])
    assert await kept(gallery, 1, 3) == [None, None]
    np.testing.assert_array_equal((await kept(gallery, 2))[0], crops[1])


async def test_no_crop_is_kept_unless_it_was_asked_for(gallery: Gallery) -> None:
    await enroll(gallery, "ada", random_unit(1), [1], crops=crops_of(1))
    assert (await gallery.get_gallery("default")).template_count == 1


async def test_crops_are_kept_from_then_on(store: Store) -> None:
    await enroll(store.gallery, "ada", random_unit(1), [1], crops=crops_of(1))
    gallery = store.keeping()
    await enroll(gallery, "ada", random_unit(1, 7), [2], crops=crops_of(1))
    before, after = await kept(gallery, 1, 2)
    assert before is None
    np.testing.assert_array_equal(after, crops_of(1)[0])


async def test_a_repeated_enrollment_keeps_no_second_crop(store: Store) -> None:
    gallery = store.keeping()
    once = {"request_id": "r", "fingerprint": b"f"}
    await enroll(gallery, "ada", random_unit(1), [1], crops=crops_of(1), **once)
    await enroll(gallery, "ada", random_unit(1), [2], crops=crops_of(1, 9), **once)
    np.testing.assert_array_equal((await kept(gallery, 1))[0], crops_of(1)[0])
    with pytest.raises(TemplateNotFound):
        await gallery.kept_crop("default", template_id(2))


async def test_an_import_brings_no_crop_and_an_export_has_none(store: Store) -> None:
    gallery = store.keeping()
    await enroll(gallery, "ada", random_unit(1), [1], crops=crops_of(1))
    await gallery.create_gallery("copy", "")
    async with gallery.export_records("default") as (_, records):
        await gallery.import_records("copy", CONTRACT, records)
    assert await kept(gallery, 1, gallery_id="copy") == [None]
