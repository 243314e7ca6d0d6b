"""The gallery port: one test for the fake in memory and for LMDB."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

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
from facewire_server.galleries.ports import Gallery
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    EnrollmentResult,
    ExportedTemplate,
    IdentityInfo,
    NewIdentity,
)
from facewire_server.types import Quality
from fakes.gallery import MemoryGallery

DIMENSION = 128
CONTRACT = "c" * 64
OTHER_CONTRACT = "d" * 64
ACCEPTED = EnrollmentResult(
    "", quality=Quality(64.0, 12.5, 99.0), box=(1.0, 2.0, 3.5, 4.0), detection_score=0.99
)
REFUSED = EnrollmentResult("", refusal="NoFace", detail="no face was found")
EMPTY = np.empty((0, DIMENSION), np.float32)


@dataclass
class Store:
    """A gallery, and the ways to open the same storage otherwise."""

    gallery: Gallery
    under_contract: Callable[[str], Gallery]
    small: Callable[[], Gallery]


@pytest.fixture(params=["memory", "lmdb", "lmdb in tiny blocks"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    if request.param == "memory":
        fake = MemoryGallery(model_contract_id=CONTRACT, dimension=DIMENSION)
        small = MemoryGallery(model_contract_id=CONTRACT, dimension=DIMENSION, capacity=500)
        yield Store(fake, fake.under_contract, lambda: small)
        return
    if request.param == "lmdb in tiny blocks":
        monkeypatch.setattr(blocks, "BLOCK_PAGES", 1)
    opened: list[LmdbGallery] = []

    def lmdb_gallery(folder: str, contract: str, **sizes: int) -> LmdbGallery:
        gallery = LmdbGallery(
            tmp_path / folder, model_contract_id=contract, dimension=DIMENSION, **sizes
        )
        opened.append(gallery)
        return gallery

    def reopened(contract: str) -> LmdbGallery:
        opened.pop().close()
        return lmdb_gallery("data", contract)

    yield Store(
        lmdb_gallery("data", CONTRACT),
        reopened,
        lambda: lmdb_gallery("small", CONTRACT, max_bytes=1 << 20),
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


def towards(degrees: float) -> np.ndarray:
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


def enroll(gallery: Gallery, identity_id: str, vectors, numbers, gallery_id="default", **kwargs):
    return gallery.enroll(
        gallery_id,
        NewIdentity(identity_id, create=True),
        accepted(*numbers),
        np.asarray(vectors, np.float32),
        **kwargs,
    )


def found(gallery: Gallery, probe: np.ndarray, k: int = 10, gallery_id="default") -> list[str]:
    (candidates,) = gallery.search(gallery_id, probe[None], k).candidates
    return [candidate.identity_id for candidate in candidates]


def exported(gallery: Gallery, gallery_id: str = "default") -> list:
    return list(gallery.export_records(gallery_id)[1])


# Galleries


def test_the_default_gallery_is_there_and_empty(gallery: Gallery):
    info = gallery.get_gallery(DEFAULT_GALLERY_ID)
    assert (info.gallery_id, info.display_name) == ("default", "default")
    assert (info.identity_count, info.template_count) == (0, 0)
    assert info.model_contract_id == gallery.model_contract_id == CONTRACT
    assert info.revision == gallery.revision(DEFAULT_GALLERY_ID)
    assert info.created_at_us > 1_600_000_000_000_000


CALLS_WITH_A_GALLERY = {
    "search": lambda g, name: g.search(name, EMPTY, 1),
    "revision": lambda g, name: g.revision(name),
    "get_gallery": lambda g, name: g.get_gallery(name),
    "delete_gallery": lambda g, name: g.delete_gallery(name),
    "create_identity": lambda g, name: g.create_identity(name, "a", ""),
    "get_identity": lambda g, name: g.get_identity(name, "a"),
    "list_identities": lambda g, name: g.list_identities(name, "", 1),
    "update_identity": lambda g, name: g.update_identity(name, "a", "b"),
    "delete_identity": lambda g, name: g.delete_identity(name, "a"),
    "list_templates": lambda g, name: g.list_templates(name, "a", "", 1),
    "delete_template": lambda g, name: g.delete_template(name, template_id(1)),
    "remembered_enrollment": lambda g, name: g.remembered_enrollment(name, "r", b""),
    "enroll": lambda g, name: enroll(g, "a", EMPTY, [], gallery_id=name),
    "export_records": lambda g, name: g.export_records(name),
    "import_records": lambda g, name: g.import_records(name, CONTRACT, []),
}


@pytest.mark.parametrize("call", CALLS_WITH_A_GALLERY.values(), ids=CALLS_WITH_A_GALLERY)
@pytest.mark.parametrize("name", ["nobody", "", "defaul", "default\0", "x" * 600, "É"])
def test_every_call_on_a_gallery_that_is_not_there_raises(gallery: Gallery, call, name: str):
    with pytest.raises(GalleryNotFound):
        call(gallery, name)


def test_galleries_are_listed_in_order_of_id_page_by_page(gallery: Gallery):
    for name in ("staff.b", "staff", "staff-a", "0"):
        assert gallery.create_gallery(name, "").display_name == name
    names = ["0", "default", "staff", "staff-a", "staff.b"]
    assert [one.gallery_id for one in gallery.list_galleries("", 10)] == names
    assert [one.gallery_id for one in gallery.list_galleries("", 2)] == names[:2]
    assert [one.gallery_id for one in gallery.list_galleries("default", 2)] == names[2:4]
    assert [one.gallery_id for one in gallery.list_galleries("dz", 9)] == names[2:]
    assert gallery.list_galleries("staff.b", 9) == []


def test_a_gallery_is_made_once_and_under_a_proper_id(gallery: Gallery):
    info = gallery.create_gallery("staff", "The staff")
    assert info == gallery.get_gallery("staff")
    assert (info.display_name, info.model_contract_id) == ("The staff", CONTRACT)
    with pytest.raises(GalleryExists):
        gallery.create_gallery("staff", "")
    for name in ("", "Staff", "a/b", "a\0", "x" * 65, "a\n"):
        with pytest.raises(InvalidField):
            gallery.create_gallery(name, "")


def test_a_deleted_gallery_is_gone_with_all_in_it_and_leaves_its_neighbours(gallery: Gallery):
    for name in ("a", "a.b", "a-b"):
        gallery.create_gallery(name, "")
        enroll(gallery, "ann", random_unit(9), range(9), gallery_id=name, request_id="r")
    last = gallery.revision("a")
    assert gallery.delete_gallery("a") == last + 1
    with pytest.raises(GalleryNotFound):
        gallery.revision("a")
    for name in ("a.b", "a-b"):
        assert gallery.get_gallery(name).template_count == 9
        assert found(gallery, random_unit(9)[4], gallery_id=name) == ["ann"]
        assert gallery.remembered_enrollment(name, "r", b"") is not None


def test_a_gallery_made_again_is_empty_and_never_shows_an_earlier_revision(gallery: Gallery):
    gallery.create_gallery("a", "")
    enroll(gallery, "ann", random_unit(9), range(9), gallery_id="a", request_id="r")
    last = gallery.delete_gallery("a")
    info = gallery.create_gallery("a", "")
    assert info.revision > last
    assert (info.identity_count, info.template_count) == (0, 0)
    assert found(gallery, random_unit(1)[0], gallery_id="a") == []
    assert gallery.list_identities("a", "", 9) == []
    assert gallery.remembered_enrollment("a", "r", b"") is None
    with pytest.raises(TemplateNotFound):
        gallery.delete_template("a", template_id(3))


def test_deleting_the_default_gallery_empties_it(gallery: Gallery):
    enroll(gallery, "ann", random_unit(9), range(9), request_id="r")
    before = gallery.get_gallery("default")
    assert gallery.delete_gallery("default") == before.revision + 1
    after = gallery.get_gallery("default")
    assert (after.identity_count, after.template_count) == (0, 0)
    assert (after.revision, after.created_at_us) == (before.revision + 1, before.created_at_us)
    assert gallery.remembered_enrollment("default", "r", b"") is None
    enroll(gallery, "ann", random_unit(9), range(9))
    assert found(gallery, random_unit(9)[8]) == ["ann"]


# Identities


def test_identities_are_made_read_renamed_and_deleted(gallery: Gallery):
    info, revision = gallery.create_identity("default", "ann", "Ann")
    assert info == gallery.get_identity("default", "ann")
    assert (info.display_name, info.template_count) == ("Ann", 0)
    assert revision == gallery.revision("default")
    with pytest.raises(IdentityExists):
        gallery.create_identity("default", "ann", "")
    renamed, revision = gallery.update_identity("default", "ann", "Anna")
    assert renamed == gallery.get_identity("default", "ann")
    assert (renamed.display_name, renamed.created_at_us) == ("Anna", info.created_at_us)
    assert revision == gallery.revision("default")
    assert gallery.delete_identity("default", "ann") == (0, revision + 1)
    assert gallery.get_gallery("default").identity_count == 0


def test_an_identity_without_a_name_is_called_by_its_id(gallery: Gallery):
    assert gallery.create_identity("default", "ann", "")[0].display_name == "ann"
    enroll(gallery, "bob", random_unit(1), [1])
    assert gallery.get_identity("default", "bob").display_name == "bob"


@pytest.mark.parametrize("identity_id", ["nobody", "", "an", "ann\0", "é" * 300])
def test_an_identity_that_is_not_there_is_not_found(gallery: Gallery, identity_id: str):
    gallery.create_identity("default", "ann", "")
    revision = gallery.revision("default")
    for call in (
        lambda: gallery.get_identity("default", identity_id),
        lambda: gallery.update_identity("default", identity_id, "x"),
        lambda: gallery.delete_identity("default", identity_id),
        lambda: gallery.list_templates("default", identity_id, "", 1),
        lambda: gallery.enroll("default", NewIdentity(identity_id), [REFUSED], EMPTY),
    ):
        with pytest.raises(IdentityNotFound):
            call()
    assert gallery.revision("default") == revision


@pytest.mark.parametrize("identity_id", ["", "a\nb", "a\0", "x" * 129, "é" * 65, "\x85"])
def test_what_is_no_identity_id_is_refused(gallery: Gallery, identity_id: str):
    with pytest.raises(InvalidField):
        gallery.create_identity("default", identity_id, "")
    with pytest.raises(InvalidField):
        enroll(gallery, identity_id, random_unit(1), [1])
    with pytest.raises(InvalidField):
        gallery.import_records("default", CONTRACT, [IdentityInfo(identity_id, "x", 0, 0)])
    assert gallery.get_gallery("default").identity_count == 0


def test_identities_are_listed_in_order_of_their_bytes_page_by_page(gallery: Gallery):
    # In UTF-16 the last two would change places.
    ids = ["A", "Z", "a", "a b", "z", "é", "x" * 128, "\uffee", "\U00010000"]
    ids.sort(key=str.encode)
    for identity_id in reversed(ids):
        gallery.create_identity("default", identity_id, "")
    gallery.create_gallery("defaulu", "")
    gallery.create_identity("defaulu", "of another gallery", "")
    listed, after = [], ""
    while page := gallery.list_identities("default", after, 2):
        assert len(page) <= 2
        listed += [one.identity_id for one in page]
        after = listed[-1]
    assert listed == ids
    assert [one.identity_id for one in gallery.list_identities("default", "a!", 1)] == [
        ids[ids.index("a b") + 1]
    ]
    assert gallery.list_identities("default", "\U0010ffff" * 200, 1) == []


# Enrolment


def test_enrolled_templates_are_kept_with_what_is_known_of_them(gallery: Gallery):
    answer = gallery.enroll(
        "default",
        NewIdentity("ann", "Ann", create=True),
        [*accepted(7), REFUSED, *accepted(3)],
        random_unit(2),
        source="gate 4",
    )
    assert answer.results == (*accepted(7), REFUSED, *accepted(3))
    assert answer.revision == gallery.revision("default")
    identity = gallery.get_identity("default", "ann")
    assert (identity.display_name, identity.template_count) == ("Ann", 2)
    first, second = gallery.list_templates("default", "ann", "", 10)
    assert (first.template_id, second.template_id) == (template_id(7), template_id(3))
    assert (first.identity_id, first.source) == ("ann", "gate 4")
    assert (first.quality, first.detection_score) == (ACCEPTED.quality, 0.99)
    assert first.created_at_us >= identity.created_at_us
    info = gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (1, 2)


def test_templates_are_listed_oldest_first_page_by_page(gallery: Gallery):
    order = [9, 2, 30, 4, 11]
    for number in order:
        enroll(gallery, "ann", random_unit(1), [number])
        enroll(gallery, "bob", random_unit(1), [100 + number])
    listed, after = [], ""
    while page := gallery.list_templates("default", "ann", after, 2):
        assert len(page) <= 2
        listed += [one.template_id for one in page]
        after = listed[-1]
    assert listed == [template_id(number) for number in order]
    for after in (template_id(100 + 9), template_id(77), "no id"):
        with pytest.raises(TemplateNotFound):
            gallery.list_templates("default", "ann", after, 2)


def test_an_enrolment_with_nothing_accepted_writes_nothing(gallery: Gallery):
    revision = gallery.revision("default")
    answer = gallery.enroll(
        "default", NewIdentity("ann", create=True), [REFUSED], EMPTY, request_id="r"
    )
    assert (answer.results, answer.revision) == ((REFUSED,), revision)
    assert gallery.revision("default") == revision
    with pytest.raises(IdentityNotFound):
        gallery.get_identity("default", "ann")
    assert gallery.remembered_enrollment("default", "r", b"") is None


def test_an_existing_identity_keeps_its_name_and_gains_templates(gallery: Gallery):
    gallery.create_identity("default", "ann", "Ann")
    gallery.enroll("default", NewIdentity("ann", "Other"), accepted(1), random_unit(1))
    enroll(gallery, "ann", random_unit(1), [2])
    identity = gallery.get_identity("default", "ann")
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
def test_embeddings_of_the_wrong_shape_or_length_are_refused(gallery: Gallery, embeddings):
    with pytest.raises(InvalidField):
        gallery.enroll("default", NewIdentity("a", create=True), accepted(1), embeddings)
    with pytest.raises(InvalidField):
        gallery.search("default", embeddings, 1)
    assert gallery.get_gallery("default").identity_count == 0


def test_accepted_pictures_and_embeddings_must_match_in_number(gallery: Gallery):
    with pytest.raises(ValueError, match="accepted"):
        gallery.enroll("default", NewIdentity("a", create=True), accepted(1, 2), random_unit(1))


def test_a_template_id_is_used_once_in_a_gallery(gallery: Gallery):
    enroll(gallery, "ann", random_unit(1), [1])
    revision = gallery.revision("default")
    for numbers in ([1], [2, 2]):
        with pytest.raises(InvalidField):
            enroll(gallery, "bob", random_unit(len(numbers)), numbers)
    with pytest.raises(InvalidField):
        gallery.enroll(
            "default",
            NewIdentity("bob", create=True),
            [EnrollmentResult("not hexadecimal")],
            random_unit(1),
        )
    assert gallery.revision("default") == revision
    assert [one.identity_id for one in gallery.list_identities("default", "", 9)] == ["ann"]
    gallery.create_gallery("other", "")
    enroll(gallery, "ann", random_unit(1), [1], gallery_id="other")


def test_a_repeated_request_gets_the_first_answer_and_enrolls_nothing(gallery: Gallery):
    first = gallery.enroll(
        "default",
        NewIdentity("ann", create=True),
        [*accepted(1), REFUSED],
        random_unit(1),
        request_id="r",
        fingerprint=b"f",
    )
    enroll(gallery, "bob", random_unit(1), [2])
    revision = gallery.revision("default")
    again = enroll(gallery, "ann", random_unit(1, 5), [9], request_id="r", fingerprint=b"f")
    assert again == first
    assert gallery.remembered_enrollment("default", "r", b"f") == first
    assert gallery.revision("default") == revision
    assert gallery.get_identity("default", "ann").template_count == 1
    for other in (b"g", b""):
        with pytest.raises(RequestIdReused):
            gallery.remembered_enrollment("default", "r", other)
        with pytest.raises(RequestIdReused):
            enroll(gallery, "ann", random_unit(1), [9], request_id="r", fingerprint=other)
    assert gallery.remembered_enrollment("default", "r2", b"f") is None
    assert gallery.remembered_enrollment("default", "", b"") is None


def test_the_oldest_requests_are_forgotten_first(gallery: Gallery, monkeypatch: pytest.MonkeyPatch):
    assert memory.ENROLLMENTS_KEPT == 10_000
    monkeypatch.setattr(memory, "ENROLLMENTS_KEPT", 3)
    gallery.create_gallery("other", "")
    enroll(gallery, "ann", random_unit(1), [99], gallery_id="other", request_id="z")
    for number in (5, 4, 3, 2, 1):
        enroll(gallery, "ann", random_unit(1), [number], request_id=f"{number}")
    kept = [n for n in range(6) if gallery.remembered_enrollment("default", f"{n}", b"")]
    assert kept == [1, 2, 3]
    assert gallery.remembered_enrollment("other", "z", b"") is not None


# Search


def test_search_answers_identities_nearest_first_by_their_best_template(gallery: Gallery):
    gallery.create_identity("default", "without templates", "")
    enroll(gallery, "ann", [towards(80), towards(30), towards(50)], [1, 2, 3])
    enroll(gallery, "bob", [towards(40), towards(20)], [4, 5])
    enroll(gallery, "cid", [towards(120)], [6])
    result = gallery.search("default", np.stack([towards(0), towards(81)]), 2)
    assert result.revision == gallery.revision("default")
    first, second = result.candidates
    assert [(one.identity_id, one.template_id) for one in first] == [
        ("bob", template_id(5)),
        ("ann", template_id(2)),
    ]
    assert [(one.identity_id, one.template_id) for one in second] == [
        ("ann", template_id(1)),
        ("cid", template_id(6)),
    ]
    assert first[0].similarity == pytest.approx(np.cos(np.radians(20)), abs=1e-6)
    assert first[0].display_name == "bob"


def test_search_answers_all_identities_where_there_are_fewer_than_k(gallery: Gallery):
    probe = random_unit(1)
    assert gallery.search("default", probe, 5).candidates == ((),)
    enroll(gallery, "ann", random_unit(3), [1, 2, 3])
    assert found(gallery, probe[0], 5) == ["ann"]
    assert gallery.search("default", EMPTY, 5).candidates == ()
    with pytest.raises(ValueError, match="k"):
        gallery.search("default", probe, 0)


def test_equal_similarities_are_ordered_by_identity_id_and_then_by_age(gallery: Gallery):
    same = random_unit(1)[0]
    ids = ["b", "\U00010000", "a", "\uffee", "ab", "Z"]
    for number, identity_id in enumerate(ids):
        enroll(
            gallery, identity_id, random_unit(5, number + 1), range(100 * number, 100 * number + 5)
        )
        enroll(gallery, identity_id, [same, same], [100 * number + 11, 100 * number + 10])
    (candidates,) = gallery.search("default", same[None], 4).candidates
    assert [one.identity_id for one in candidates] == sorted(ids, key=str.encode)[:4]
    assert len({one.similarity for one in candidates}) == 1
    assert all(
        one.template_id.endswith(f"{11 + 100 * ids.index(one.identity_id):x}") for one in candidates
    )


def test_one_identity_with_the_best_templates_does_not_crowd_others_out(gallery: Gallery):
    enroll(gallery, "crowd", [towards(one / 100) for one in range(400)], range(400))
    enroll(gallery, "far", [towards(60)], [1001])
    enroll(gallery, "farther", [towards(90)], [1002])
    assert found(gallery, towards(0), 3) == ["crowd", "far", "farther"]


def test_a_probe_gets_the_same_answer_alone_and_among_others(gallery: Gallery):
    for number, vector in enumerate(random_unit(60)):
        enroll(gallery, f"{number % 20}", vector[None], [number])
    probes = random_unit(7, seed=1)
    together = gallery.search("default", probes, 6).candidates
    alone = tuple(gallery.search("default", probe[None], 6).candidates[0] for probe in probes)
    assert together == alone


def test_the_next_search_after_a_deletion_does_not_find_what_was_deleted(gallery: Gallery):
    vectors = random_unit(40)
    for number in range(20):
        enroll(
            gallery, f"{number}", vectors[2 * number : 2 * number + 2], [2 * number, 2 * number + 1]
        )
    assert gallery.delete_template("default", template_id(0)) == gallery.revision("default")
    assert gallery.delete_identity("default", "7") == (2, gallery.revision("default"))
    gallery.delete_template("default", template_id(39))
    left = {0: {1}, 7: set(), 19: {38}}
    for number in range(20):
        for own in (2 * number, 2 * number + 1):
            (best,) = gallery.search("default", vectors[own][None], 1).candidates[0]
            kept = own in left.get(number, {own})
            assert (best.similarity > 0.999) == kept
            assert (best.template_id == template_id(own)) == kept
    with pytest.raises(TemplateNotFound):
        gallery.delete_template("default", template_id(0))
    with pytest.raises(TemplateNotFound):
        gallery.delete_template("default", "no id")
    info = gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (19, 36)
    assert gallery.get_identity("default", "0").template_count == 1


def test_an_identity_stays_without_templates_and_can_gain_new_ones(gallery: Gallery):
    enroll(gallery, "ann", random_unit(1), [1])
    gallery.delete_template("default", template_id(1))
    assert gallery.get_identity("default", "ann").template_count == 0
    assert found(gallery, random_unit(1)[0]) == []
    enroll(gallery, "ann", random_unit(1), [1])
    assert found(gallery, random_unit(1)[0]) == ["ann"]


def test_a_deleted_identity_is_forgotten_with_its_requests(gallery: Gallery):
    enroll(gallery, "ann", random_unit(1), [1], request_id="of ann")
    enroll(gallery, "bob", random_unit(1), [2], request_id="of bob")
    gallery.delete_identity("default", "ann")
    assert gallery.remembered_enrollment("default", "of ann", b"") is None
    assert gallery.remembered_enrollment("default", "of bob", b"") is not None
    enroll(gallery, "ann", random_unit(1), [1], request_id="of ann")
    assert gallery.get_identity("default", "ann").template_count == 1


def test_galleries_are_searched_apart(gallery: Gallery):
    gallery.create_gallery("other", "")
    enroll(gallery, "ann", random_unit(1), [1])
    enroll(gallery, "bob", random_unit(1), [1], gallery_id="other")
    assert found(gallery, random_unit(1)[0]) == ["ann"]
    assert found(gallery, random_unit(1)[0], gallery_id="other") == ["bob"]


# Revisions and contracts


def test_every_write_raises_the_revision_of_its_gallery_only(gallery: Gallery):
    gallery.create_gallery("other", "")
    other = gallery.revision("other")
    writes = [
        lambda: gallery.create_identity("default", "ann", "")[1],
        lambda: gallery.update_identity("default", "ann", "Ann")[1],
        lambda: enroll(gallery, "ann", random_unit(2), [1, 2]).revision,
        lambda: gallery.delete_template("default", template_id(1)),
        lambda: gallery.delete_identity("default", "ann")[1],
        lambda: (
            gallery.import_records("default", CONTRACT, [IdentityInfo("bob", "Bob", 0, 5)]).revision
        ),
        lambda: gallery.delete_gallery("default"),
    ]
    for write in writes:
        before = gallery.revision("default")
        assert write() == gallery.revision("default") == before + 1
    assert gallery.revision("other") == other


def test_another_contract_may_read_and_delete_but_neither_search_nor_add(store: Store):
    enroll(store.gallery, "ann", random_unit(2), [1, 2], request_id="r")
    gallery = store.under_contract(OTHER_CONTRACT)
    assert gallery.get_gallery("default").model_contract_id == CONTRACT
    for name in ("search", "enroll", "export_records", "import_records"):
        with pytest.raises(ModelContractMismatch):
            CALLS_WITH_A_GALLERY[name](gallery, "default")
    with pytest.raises(ModelContractMismatch):
        gallery.import_records("default", OTHER_CONTRACT, [])
    assert gallery.remembered_enrollment("default", "r", b"") is not None
    assert len(gallery.list_templates("default", "ann", "", 9)) == 2
    gallery.delete_template("default", template_id(1))
    assert gallery.delete_identity("default", "ann")[0] == 1
    gallery.create_gallery("new", "")
    enroll(gallery, "ann", random_unit(1), [1], gallery_id="new")
    assert found(gallery, random_unit(1)[0], gallery_id="new") == ["ann"]


def test_the_default_gallery_takes_the_contract_of_who_empties_it(store: Store):
    enroll(store.gallery, "ann", random_unit(2), [1, 2])
    gallery = store.under_contract(OTHER_CONTRACT)
    gallery.delete_gallery("default")
    assert gallery.get_gallery("default").model_contract_id == OTHER_CONTRACT
    enroll(gallery, "ann", random_unit(2), [1, 2])
    assert found(gallery, random_unit(2)[1]) == ["ann"]


# Export and import


def test_an_export_holds_each_identity_followed_by_its_templates(gallery: Gallery):
    vectors = random_unit(30)
    for number in range(30):
        enroll(gallery, "cab"[number % 3], vectors[number][None], [number], source="s")
    gallery.create_identity("default", "z", "Zoe")
    info, records = gallery.export_records("default")
    assert info == gallery.get_gallery("default")
    listed: list = []
    for identity in gallery.list_identities("default", "", 99):
        listed.append(identity)
        listed += gallery.list_templates("default", identity.identity_id, "", 99)
    records = list(records)
    assert [one.info if isinstance(one, ExportedTemplate) else one for one in records] == listed
    for record in records:
        if isinstance(record, ExportedTemplate):
            expected = vectors[int(record.info.template_id, 16)]
            assert record.embedding.dtype == np.float32
            np.testing.assert_array_equal(record.embedding, expected)


def test_an_exported_embedding_is_the_receivers_own(gallery: Gallery):
    enroll(gallery, "ann", random_unit(1), [1])
    exported(gallery)[1].embedding[:] = 0
    assert gallery.search("default", random_unit(1), 1).candidates[0][0].similarity > 0.999


def test_an_export_shows_one_moment_whatever_is_written_meanwhile(gallery: Gallery):
    vectors = random_unit(600)
    for number in range(0, 600, 20):
        enroll(gallery, f"{number:03}", vectors[number : number + 20], range(number, number + 20))
    info, records = gallery.export_records("default")
    got = [next(records)]
    gallery.delete_identity("default", "000")
    gallery.delete_identity("default", "300")
    enroll(gallery, "zoe", random_unit(1), [9999])
    gallery.update_identity("default", "580", "renamed")
    got += records
    identities = [one for one in got if isinstance(one, IdentityInfo)]
    assert [one.display_name for one in identities] == [f"{n:03}" for n in range(0, 600, 20)]
    templates = [one for one in got if isinstance(one, ExportedTemplate)]
    assert len(templates) == info.template_count == 600
    for template in templates:
        np.testing.assert_array_equal(
            template.embedding, vectors[int(template.info.template_id, 16)]
        )


def test_an_export_may_be_closed_early(gallery: Gallery):
    enroll(gallery, "ann", random_unit(3), [1, 2, 3])
    for read in (0, 2):
        _, records = gallery.export_records("default")
        with closing(records):
            for _ in range(read):
                next(records)
        assert list(records) == []


def test_what_was_exported_can_be_imported(gallery: Gallery):
    for number in range(30):
        enroll(gallery, "cab"[number % 3], random_unit(1, number), [number], source="s")
    gallery.create_identity("default", "z", "Zoe")
    gallery.create_gallery("copy", "")
    before = gallery.revision("copy")
    counts = gallery.import_records("copy", CONTRACT, gallery.export_records("default")[1])
    assert (counts.identities_added, counts.templates_added, counts.templates_skipped) == (4, 30, 0)
    assert counts.revision == gallery.revision("copy") == before + 1
    copied, original = exported(gallery, "copy"), exported(gallery)
    assert len(copied) == len(original) == 34
    for one, other in zip(copied, original, strict=True):
        if isinstance(one, IdentityInfo):
            assert one == other
        else:
            assert one.info == other.info
            np.testing.assert_array_equal(one.embedding, other.embedding)
    probe = random_unit(1, seed=77)
    assert found(gallery, probe[0], gallery_id="copy") == found(gallery, probe[0])


def test_an_import_sent_again_changes_nothing(gallery: Gallery):
    enroll(gallery, "ann", random_unit(3), [1, 2, 3])
    records = exported(gallery)
    gallery.update_identity("default", "ann", "Renamed")
    gallery.delete_template("default", template_id(2))
    counts = gallery.import_records("default", CONTRACT, records)
    assert (counts.identities_added, counts.templates_added, counts.templates_skipped) == (0, 1, 2)
    revision = gallery.revision("default")
    counts = gallery.import_records("default", CONTRACT, iter(records))
    assert (counts.identities_added, counts.templates_added, counts.templates_skipped) == (0, 0, 3)
    assert counts.revision == gallery.revision("default") == revision
    identity = gallery.get_identity("default", "ann")
    assert (identity.display_name, identity.template_count) == ("Renamed", 3)


def _with_embedding(record: ExportedTemplate, embedding: np.ndarray) -> ExportedTemplate:
    return ExportedTemplate(record.info, embedding)


@pytest.mark.parametrize("fault", ["order", "start", "dimension", "length"])
def test_an_import_that_breaks_off_leaves_what_came_before(gallery: Gallery, fault: str):
    gallery.create_gallery("source", "")
    enroll(gallery, "ann", random_unit(1), [1], gallery_id="source")
    enroll(gallery, "bob", random_unit(1, 2), [2], gallery_id="source")
    ann, template_of_ann, bob, template_of_bob = exported(gallery, "source")
    bad, error, kept = {
        "order": ([bob, template_of_ann], OutOfOrder, 2),
        "start": ([], OutOfOrder, 0),
        "dimension": (
            [bob, _with_embedding(template_of_bob, np.ones(1, np.float32))],
            InvalidField,
            2,
        ),
        "length": (
            [bob, _with_embedding(template_of_bob, 2 * template_of_bob.embedding)],
            InvalidField,
            2,
        ),
    }[fault]
    records = [template_of_ann] if fault == "start" else [ann, template_of_ann, *bad]
    with pytest.raises(error):
        gallery.import_records("default", CONTRACT, records)
    info = gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (kept, kept // 2)


def test_an_import_made_under_another_contract_is_refused(gallery: Gallery):
    with pytest.raises(ModelContractMismatch):
        gallery.import_records("default", OTHER_CONTRACT, [IdentityInfo("ann", "", 0, 0)])
    assert gallery.get_gallery("default").identity_count == 0


# Limits, threads


def test_a_full_storage_writes_nothing_and_still_deletes(store: Store):
    gallery = store.small()
    vectors = random_unit(10)
    count = 0
    with pytest.raises(GalleryFull):  # noqa: PT012  # whichever write is the first without room
        for count in range(10_000):
            enroll(gallery, f"{count}", vectors, range(10 * count, 10 * count + 10))
    info = gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (count, 10 * count)
    assert count > 0
    with pytest.raises(IdentityNotFound):
        gallery.get_identity("default", f"{count}")
    with pytest.raises(GalleryFull):
        enroll(gallery, f"{count}", vectors, range(10 * count, 10 * count + 10))
    assert found(gallery, vectors[3], 1) == ["0"]
    for number in range(count):
        assert gallery.delete_identity("default", f"{number}")[0] == 10
    enroll(gallery, "new", vectors, range(10))
    assert found(gallery, vectors[3]) == ["new"]


def test_calls_from_several_threads_lose_nothing(gallery: Gallery):
    vectors = random_unit(80)

    def work(worker: int) -> None:
        for number in range(20 * worker, 20 * worker + 20):
            enroll(gallery, f"{number}", vectors[number][None], [number])
            (best,) = gallery.search("default", vectors[number][None], 1).candidates[0]
            assert best.identity_id == f"{number}"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    info = gallery.get_gallery("default")
    assert (info.identity_count, info.template_count) == (80, 80)
