"""Galleries under another model contract: no crop is embedded twice, no person is lost, and nothing is changed before all is there."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, damaged_galleries
from facewire_server.backends.lmdb_gallery.erasure import erase_deleted, pending
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_gallery.reembedding import (
    Lacking,
    NotEmbedded,
    Target,
    forget_deleted,
    lacking,
    negative_example_count,
    rewrite,
    waiting_crops,
)
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.lmdb_storage.folder import FolderInUse
from facewire_server.backends.new_vectors import VECTORS_FOLDER, NewVectors, erase_interrupted
from facewire_server.errors import GalleryDamaged, ModelContractMismatch
from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.records import (
    EnrollmentResult,
    NewIdentity,
    NewNegativeExample,
)
from facewire_server.types import Quality
from fakes.python import PATHS

KEYS = CropKeys([bytes(32)])
OLD, NEW = "a" * 64, Target("b" * 64, 6)
CROPS = np.random.default_rng(4).integers(0, 256, (40, 112, 112, 3), np.uint8)


def opened(folder: Path, contract: str = OLD, dimension: int = 4, *, keep: bool = True):
    return LmdbGallery(
        folder,
        vector_search=ExactSearch(),
        model_contract_id=contract,
        dimension=dimension,
        crop_keys=KEYS,
        keep_crops=keep,
    )


def storage(folder: Path) -> Environment:
    return Environment(folder, GALLERY_STORAGE, map_bytes=1 << 24, max_bytes=1 << 30)


def embedded(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The new model."""
    rows = crops.reshape(len(crops), -1)[:, :6].astype(np.float32) - 127.3
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


async def enroll(gallery: LmdbGallery, name: str, numbers: Sequence[int], **to: str) -> None:
    results = [EnrollmentResult(f"{one:032x}", quality=Quality(1, 2, 3)) for one in numbers]
    await gallery.enroll(
        to.get("gallery_id", "default"),
        NewIdentity(name, name.upper(), create=True),
        results,
        np.eye(4, dtype=np.float32)[np.array(numbers) % 4],
        request_id=name,
        fingerprint=b"f",
        crops=CROPS[list(numbers)],
    )


def embed_all(environment: Environment, made: NewVectors) -> int:
    count = 0
    for _, batch in waiting_crops(environment, NEW, KEYS, made):
        norms = np.full(len(batch.crops), 9.5, np.float32)
        made.add(batch.gallery_id, batch.template_ids, embedded(batch.crops), norms)
        count += len(batch.crops)
    return count


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Two galleries; "ada" has two crops of two, "bo" one of two, "cy" none of one, and "di" no template."""
    folder = tmp_path / "gallery"
    with closing(opened(folder)) as gallery:
        await gallery.create_gallery("door", "The door")
        await enroll(gallery, "ada", [0, 1])
        await enroll(gallery, "bo", [2])
        await enroll(gallery, "many", range(8, 40), gallery_id="door")
        await gallery.create_identity("default", "di", "")
    with closing(opened(folder, keep=False)) as gallery:
        await gallery.enroll(
            "default",
            NewIdentity("bo"),
            [EnrollmentResult(f"{3:032x}")],
            np.eye(4, dtype=np.float32)[3:],
        )
        await enroll(gallery, "cy", [4])
    return folder


def test_who_lacks_crops_is_known_before_anything_is_done(folder: Path) -> None:
    with closing(storage(folder)) as environment:
        assert list(lacking(environment, NEW)) == [
            Lacking("default", "bo", "BO", 1, 2),
            Lacking("default", "cy", "CY", 0, 1),
        ]


async def test_negative_examples_go_and_are_counted_before(folder: Path) -> None:
    example = NewNegativeExample("e" * 32, "ada", Quality(1, 2, 3), 0.9, (1, 2, 3, 4))
    with closing(opened(folder)) as gallery:
        await gallery.add_negative_example("default", example, np.eye(4, dtype=np.float32)[3])
    with (
        closing(storage(folder)) as environment,
        NewVectors(folder.parent, NEW.contract_id) as made,
    ):
        with environment.read() as transaction:
            assert negative_example_count(transaction, NEW) == 1
        embed_all(environment, made)
        environment.switch(lambda step: rewrite(step, NEW, made))
    assert damaged_galleries(folder, KEYS) == ()
    with closing(opened(folder, NEW.contract_id, NEW.dimension)) as gallery:
        assert await gallery.list_negative_examples("default", "ada", "", 9) == []
        assert (await gallery.get_identity("default", "ada")).negative_example_count == 0


async def test_every_template_with_a_crop_is_found_by_the_new_model(folder: Path) -> None:
    with closing(opened(folder)) as gallery:
        before = {one.gallery_id: one for one in await gallery.list_galleries("", 9)}
    with (
        closing(storage(folder)) as environment,
        NewVectors(folder.parent, NEW.contract_id) as made,
    ):
        assert embed_all(environment, made) == 35
        assert embed_all(environment, made) == 0
        environment.switch(lambda step: rewrite(step, NEW, made))
    assert damaged_galleries(folder, KEYS) == ()
    with closing(opened(folder, NEW.contract_id, NEW.dimension)) as gallery:
        for numbers, name, gallery_id in (
            ([0, 1], "ada", "default"),
            ([2], "bo", "default"),
            (list(range(8, 40)), "many", "door"),
        ):
            fused = fuse(embedded(CROPS[numbers]))[-1]
            found = await gallery.search(gallery_id, fused.mean[None], 1)
            ((best,),) = found.candidates
            oldest = numbers[fused.rows[0]]
            assert (best.identity_id, best.template_id) == (name, f"{oldest:032x}")
            assert best.similarity == pytest.approx(1.0, abs=1e-6)
            assert found.revision == before[gallery_id].revision + 1
        people = await gallery.list_identities("default", "", 9)
        assert [(one.identity_id, one.display_name, one.template_count) for one in people] == [
            ("ada", "ADA", 2),
            ("bo", "BO", 1),
            ("cy", "CY", 0),
            ("di", "di", 0),
        ]
        ((template),) = await gallery.list_templates("default", "bo", "", 9)
        assert template.quality.embedding_norm == 9.5
        assert await gallery.remembered_enrollment("default", "ada", b"f") is not None
        # The crops stay, for the next model and for the way back.
        np.testing.assert_array_equal(await gallery.kept_crop("default", f"{1:032x}"), CROPS[1])
    with closing(opened(folder)) as gallery:
        for gallery_id in ("default", "door"):
            with pytest.raises(ModelContractMismatch):
                await gallery.search(gallery_id, np.eye(4, dtype=np.float32), 1)


async def test_who_is_enrolled_meanwhile_is_embedded_before_the_switch(folder: Path) -> None:
    with NewVectors(folder.parent, NEW.contract_id) as made:
        with closing(storage(folder)) as environment:
            embed_all(environment, made)
        with closing(opened(folder)) as gallery:
            await enroll(gallery, "late", [5])
            await gallery.delete_identity("door", "many")
        with closing(storage(folder)) as environment, pytest.raises(NotEmbedded):
            environment.switch(lambda step: rewrite(step, NEW, made))
        with closing(opened(folder)) as gallery:  # nothing has changed
            ((best,),) = (
                await gallery.search("default", np.eye(4, dtype=np.float32)[:1], 1)
            ).candidates
            assert best.identity_id == "ada"
        with closing(storage(folder)) as environment:
            assert embed_all(environment, made) == 1
            forget_deleted(environment, made)
            assert {gallery_id for gallery_id, _ in made.ids()} == {"default"}
            environment.switch(lambda step: rewrite(step, NEW, made))
    with closing(opened(folder, NEW.contract_id, NEW.dimension)) as gallery:
        ((best,),) = (await gallery.search("default", embedded(CROPS[5:6]), 1)).candidates
        assert best.identity_id == "late"
        assert (await gallery.get_gallery("door")).template_count == 0


async def test_a_crop_that_is_damaged_ends_it_and_changes_nothing(folder: Path) -> None:
    other = CropKeys([KEYS.ids[0] * 4])
    with (
        closing(storage(folder)) as environment,
        NewVectors(folder.parent, NEW.contract_id) as made,
        pytest.raises(GalleryDamaged),
    ):
        list(waiting_crops(environment, NEW, other, made))


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_reembedding import NEW, NewVectors, embed_all, storage
folder, add, calls = Path(sys.argv[1]), NewVectors.add, []
def add_or_die(*arguments):
    calls.append(1)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    add(*arguments)
NewVectors.add = add_or_die
with NewVectors(folder.parent, NEW.contract_id) as made:
    embed_all(storage(folder), made)
"""


def test_after_a_kill_only_what_is_left_is_embedded(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder, Path(__file__).parent],
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with (
        closing(storage(folder)) as environment,
        NewVectors(folder.parent, NEW.contract_id) as made,
    ):
        assert len(made.ids()) == 19  # of two batches: 3 of one gallery, 16 of the other
        assert embed_all(environment, made) == 16


def test_the_file_of_new_embeddings_is_the_owners_and_of_one_process(tmp_path: Path) -> None:
    with NewVectors(tmp_path, NEW.contract_id):
        (file,) = (tmp_path / VECTORS_FOLDER).glob("*.vectors")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with pytest.raises(FolderInUse):
            NewVectors(tmp_path, NEW.contract_id)
    file.write_text("no database" * 99)
    with pytest.raises(OSError, match="cannot be used"):
        NewVectors(tmp_path, NEW.contract_id)


def test_what_an_interrupted_re_embedding_left_is_erased_unless_one_runs(folder: Path) -> None:
    data = folder.parent
    with closing(storage(folder)) as environment, NewVectors(data, NEW.contract_id) as made:
        embed_all(environment, made)
        erase_interrupted(data)
        assert len(made.ids()) == 35
    erase_interrupted(data)
    assert [path.name for path in (data / VECTORS_FOLDER).iterdir()] == ["facewire.lock"]


def test_after_a_re_embedding_the_old_vectors_are_pending_until_a_purge(folder: Path) -> None:
    with (
        closing(storage(folder)) as environment,
        NewVectors(folder.parent, NEW.contract_id) as made,
    ):
        embed_all(environment, made)
        environment.switch(lambda step: rewrite(step, NEW, made))
        with environment.read() as transaction:
            assert pending(transaction).since_us is not None
        erase_deleted(environment)
        with environment.read() as transaction:
            assert pending(transaction).since_us is None
