"""A gallery that an earlier version stored is opened, upgraded, searched and written to by this one."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import numpy as np
import pytest

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, damaged_galleries
from facewire_server.backends.lmdb_gallery.records_pb2 import NegativeExample, Template
from facewire_server.backends.lmdb_storage.folder import FolderLock
from facewire_server.errors import GalleryDamaged, RequestIdReused
from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.galleries.records import (
    EnrollmentResult,
    ExportedTemplate,
    NewIdentity,
    NewNegativeExample,
)
from facewire_server.galleries.refusal import Refusal
from facewire_server.types import Quality
from fakes.python import PATHS

FOLDER = Path(__file__).with_name("golden")
GOLDEN = ["gallery_b85648d.mdb.gz", "gallery_format_1.mdb.gz"]
FORMAT_2 = "gallery_format_2.mdb.gz"
CONTRACT = "c" * 64
DIMENSION = 16


def vectors(count: int) -> np.ndarray:
    """The vectors that `golden/make_gallery.py` stored."""
    rows = np.random.default_rng(5).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def faces(count: int) -> np.ndarray:
    """Directions of different people, as in `golden/make_format_2.py`."""
    return np.random.default_rng(7).standard_normal((count, DIMENSION))


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pictures() -> dict[str, np.ndarray]:
    """The templates that `golden/make_format_2.py` stored of each person of "default"."""
    random = np.random.default_rng(8)
    shown = {"agree": [0, 0, 0], "disagree": [1, 2], "one": [3], "one-wrong": [4, 5, 4]}
    return {
        name: unit(faces(6)[rows] + 0.3 * random.standard_normal((len(rows), DIMENSION)))
        for name, rows in shown.items()
    }


def opened(folder: Path) -> LmdbGallery:
    return LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=CONTRACT, dimension=DIMENSION
    )


def put_back(golden: str, folder: Path) -> Path:
    """Writes a golden file as the storage in a folder."""
    file = folder / "data.mdb"
    file.write_bytes(gzip.decompress((FOLDER / golden).read_bytes()))
    return file


@pytest.fixture(params=GOLDEN)
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LmdbGallery]:
    put_back(request.param, tmp_path)
    gallery = opened(tmp_path)
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
    left = {0: (0, 3), 1: (4,), 2: (2, 5)}  # template 1 was deleted before the file was closed
    for person, numbers in left.items():
        for fused in fuse(vectors(6)[list(numbers)]):
            ((best,),) = (await gallery.search("default", fused.mean[None], 1)).candidates
            oldest = numbers[fused.rows[0]]
            assert (best.identity_id, best.template_id) == (f"id-{person}", f"{oldest:032x}")
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
    fused = fuse(np.stack([vectors(6)[4], new]))[-1]
    ((best, _),) = (await gallery.search("default", fused.mean[None], 2)).candidates
    assert best.identity_id == "id-1"
    assert best.similarity == pytest.approx(1.0, abs=1e-6)
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


FORMAT_1 = "gallery_format_1.mdb.gz"

OPEN = """
import sys
from pathlib import Path
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, upgrades
{before}
gallery = LmdbGallery(
    Path(sys.argv[1]), vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=16
)
print("opened", flush=True)
sys.stdin.read()
gallery.close()
"""


def opening(folder: Path, before: str = "") -> subprocess.Popen[str]:
    """Opens the gallery in a process of its own, until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", OPEN.format(before=before), folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": PATHS},
    )


def stated_format(file: Path, new: bytes = b"") -> bytes | None:
    """Returns the format that a closed storage states, and states another one, if one is given."""
    with lmdb.open(str(file.parent), max_dbs=1, readonly=not new) as environment:
        meta = environment.open_db(b"meta", create=False)
        with environment.begin(db=meta, write=bool(new)) as transaction:
            before = transaction.get(b"format")
            if new:
                transaction.put(b"format", new)
            return None if before is None else bytes(before)


async def assert_many(gallery: LmdbGallery) -> None:
    async with gallery.export_records("visitors") as (_, records):
        templates = [one async for one in records if isinstance(one, ExportedTemplate)]
    stored = {int(one.info.template_id, 16) - 100: one.embedding for one in templates}
    assert sorted(stored) == list(range(60))
    for number, vector in enumerate(vectors(60)):
        np.testing.assert_array_equal(stored[number], vector)
    (fused, *_) = fuse(vectors(60))
    ((best,),) = (await gallery.search("visitors", fused.mean[None], 1)).candidates
    assert best.similarity == pytest.approx(1.0, abs=1e-6)


async def test_an_upgrade_gives_every_block_its_checksum_and_keeps_every_vector(
    tmp_path: Path,
) -> None:
    file = put_back(FORMAT_1, tmp_path)
    assert stated_format(file) == b"1"
    assert damaged_galleries(tmp_path) == ()  # before it was upgraded
    gallery = opened(tmp_path)
    await assert_many(gallery)
    gallery.close()
    assert stated_format(file) == b"4"
    assert damaged_galleries(tmp_path) == ()  # each checksum was compared
    file.write_bytes(
        file.read_bytes().replace(vectors(60)[50].tobytes(), vectors(60)[49].tobytes())
    )
    assert damaged_galleries(tmp_path) == ("visitors",)


async def test_an_upgrade_makes_the_mean_of_each_person(tmp_path: Path) -> None:
    file = put_back(FORMAT_2, tmp_path)
    assert (stated_format(file), damaged_galleries(tmp_path)) == (b"2", ())
    gallery = opened(tmp_path)
    number, people = 0, {}
    for name, rows in pictures().items():
        people[name] = fuse(rows)
        for fused in people[name]:
            ((best,),) = (await gallery.search("default", fused.mean[None], 1)).candidates
            oldest = f"{number + fused.rows[0]:032x}"
            assert (best.identity_id, best.template_id) == (name, oldest)
            assert best.similarity == pytest.approx(1.0, abs=1e-6)
        number += len(rows)
    assert [len(one) for one in people.values()] == [1, 2, 1, 1]
    assert people["one-wrong"][0].rows == (0, 2)
    many = await gallery.search("visitors", unit(faces(60)), 1)
    assert [best.identity_id for (best,) in many.candidates] == [
        f"visitor-{row}" for row in range(60)
    ]
    assert many.pairs.identity_count == 60
    rows, owners = unit(faces(60)), np.arange(60)
    assert many.pairs == gallery_pairs(rows, owners, rows, owners)
    default = await gallery.get_gallery("default")
    assert default.identity_count == 5
    assert default.pairs.cohesion < 0.99
    gallery.close()
    assert (stated_format(file), damaged_galleries(tmp_path)) == (b"4", ())


async def test_a_gallery_of_format_3_takes_negative_examples(tmp_path: Path) -> None:
    file = put_back("gallery_format_3.mdb.gz", tmp_path)
    assert (stated_format(file), damaged_galleries(tmp_path)) == (b"3", ())
    gallery = opened(tmp_path)
    people = await gallery.list_identities("default", "", 9)
    assert [
        (one.identity_id, one.template_count, one.negative_example_count) for one in people
    ] == [
        ("id-0", 1, 0),
        ("id-1", 2, 0),
    ]
    own = vectors(4)[0]
    ((best,),) = (await gallery.search("default", own[None], 1)).candidates
    assert (best.identity_id, best.negative_example_similarity) == ("id-0", None)
    face = NewNegativeExample("e" * 32, "id-0", Quality(42.0, 10.0, 120.0), 0.5, (1, 2, 3, 4))
    await gallery.add_negative_example("default", face, own)
    ((best, *_),) = (await gallery.search("default", own[None], 1)).candidates
    assert best.negative_example_similarity == pytest.approx(1.0, abs=1e-6)
    gallery.close()
    assert (stated_format(file), damaged_galleries(tmp_path)) == (b"4", ())


@pytest.mark.parametrize("field", ["embedding", "checksum", "negative_example_id"])
async def test_a_negative_example_that_is_not_what_was_written_is_damage(
    tmp_path: Path, field: str
) -> None:
    gallery = opened(tmp_path)
    own, other = vectors(2)
    await gallery.enroll(
        "default", NewIdentity("id-0", create=True), [EnrollmentResult("f" * 32)], own[None]
    )
    face = NewNegativeExample("e" * 32, "id-0", Quality(42.0, 10.0, 120.0), 0.5, (1, 2, 3, 4))
    await gallery.add_negative_example("default", face, own)
    gallery.close()
    assert damaged_galleries(tmp_path) == ()
    with lmdb.open(str(tmp_path), max_dbs=1) as environment:
        table = environment.open_db(b"negative_examples", create=False)
        with environment.begin(db=table, write=True) as transaction:
            cursor = transaction.cursor()
            assert cursor.first()
            record = NegativeExample.FromString(cursor.value())
            changed = {"embedding": other.tobytes(), "checksum": record.checksum ^ 1}
            setattr(record, field, changed.get(field, b"d" * 16))
            transaction.put(cursor.key(), record.SerializeToString())
    assert damaged_galleries(tmp_path) == ("default",)
    gallery = opened(tmp_path)
    if field != "negative_example_id":
        with pytest.raises(GalleryDamaged):
            await gallery.search("default", own[None], 1)
    gallery.close()


async def test_a_mean_that_is_not_its_persons_is_damage(tmp_path: Path) -> None:
    put_back(FORMAT_2, tmp_path)
    opened(tmp_path).close()
    with lmdb.open(str(tmp_path), max_dbs=1) as environment:
        templates = environment.open_db(b"templates", create=False)
        with environment.begin(db=templates, write=True) as transaction:
            cursor = transaction.cursor()
            assert cursor.set_range(b"visitors\0")
            record = Template.FromString(cursor.value())
            record.mean_row += 1
            transaction.put(cursor.key(), record.SerializeToString())
    assert damaged_galleries(tmp_path) == ("visitors",)


async def test_an_upgrade_passes_over_a_damaged_gallery(tmp_path: Path) -> None:
    file = put_back(FORMAT_2, tmp_path)
    rows = unit(faces(60))
    file.write_bytes(file.read_bytes().replace(rows[50].tobytes(), rows[49].tobytes()))
    gallery = opened(tmp_path)
    ((best,),) = (await gallery.search("default", pictures()["one"], 1)).candidates
    assert best.identity_id == "one"
    gallery.close()
    assert damaged_galleries(tmp_path) == ("visitors",)


async def test_an_upgrade_that_is_killed_leaves_the_storage_as_it_was(tmp_path: Path) -> None:
    file = put_back(FORMAT_1, tmp_path)
    killed = """
import os, signal
calls = []
sign = upgrades.sign
def sign_or_die(block):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    sign(block)
upgrades.sign = sign_or_die
"""
    with opening(tmp_path, killed) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert stated_format(file) == b"1"
    gallery = opened(tmp_path)
    await assert_many(gallery)
    gallery.close()


async def test_processes_that_start_together_upgrade_once(tmp_path: Path) -> None:
    put_back(FORMAT_1, tmp_path)
    processes = [opening(tmp_path) for _ in range(3)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "opened\n", process.communicate()
        gallery = opened(tmp_path)
        await assert_many(gallery)
        gallery.close()
    finally:
        for process in processes:
            process.communicate()


def test_a_storage_that_an_earlier_server_uses_is_not_upgraded_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put_back(FORMAT_1, tmp_path)
    before = file.read_bytes()
    monkeypatch.setattr("facewire_server.backends.lmdb_storage.upgrading._WAIT_S", 0.0)
    earlier = FolderLock(tmp_path)  # what a server of any version holds
    with pytest.raises(OSError, match=r"a server of an earlier version uses it: stop that server"):
        opened(tmp_path)
    earlier.release()
    assert file.read_bytes()[8192:] == before[8192:]
    opened(tmp_path).close()


def test_a_storage_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    file = tmp_path / "data.mdb"
    stated_format(file, b"5")
    before = file.read_bytes()
    with pytest.raises(
        OSError, match=r"format 5, and this server reads formats up to 4; start the newer"
    ):
        opened(tmp_path)
    assert file.read_bytes() == before
