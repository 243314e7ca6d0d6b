"""Kept crops lie encrypted in the file, each for its own template, and are read by their key alone."""

import asyncio
from contextlib import closing
from pathlib import Path

import lmdb
import numpy as np
import pytest

from facewire_server.backends.crop_cipher import CropKeys, UnreadableCrop
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery, damaged_galleries
from facewire_server.backends.lmdb_gallery.kept_crops import WrongCropKey
from facewire_server.errors import CropKeyMissing, GalleryDamaged
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.pictures.aligned_crop import crop_of, png_of
from fakes.python import run_python

KEYS = CropKeys([bytes(32)])
OTHERS = CropKeys([b"o" * 32])
CROPS = np.random.default_rng(2).integers(0, 256, (3, 112, 112, 3), np.uint8)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def opened(folder: Path, keys: CropKeys | None = KEYS) -> LmdbGallery:
    return LmdbGallery(
        folder,
        vector_search=ExactSearch(),
        model_contract_id="c" * 64,
        dimension=4,
        crop_keys=keys,
        keep_crops=keys is not None,
    )


async def enroll(gallery: LmdbGallery, number: int, identity_id: str = "ada") -> None:
    await gallery.enroll(
        "default",
        NewIdentity(identity_id, create=True),
        [EnrollmentResult(f"{number:032x}")],
        np.eye(4, dtype=np.float32)[number : number + 1],
        crops=CROPS[number : number + 1],
    )


ENROLL_UNDER_A_NEWER_KEY = """
import asyncio, sys
from pathlib import Path
import numpy as np
from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.galleries.records import EnrollmentResult, NewIdentity

gallery = LmdbGallery(
    Path(sys.argv[1]), vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=4,
    crop_keys=CropKeys([b"o" * 32, bytes(32)]), keep_crops=True,
)
asyncio.run(gallery.enroll(
    "default", NewIdentity("bob", create=True), [EnrollmentResult("1" * 32)],
    np.eye(4, dtype=np.float32)[1:2], crops=np.zeros((1, 112, 112, 3), np.uint8),
))
gallery.close()
"""


async def test_a_server_with_an_older_file_of_keys_refuses_a_correction_and_goes_on(
    tmp_path: Path,
) -> None:
    with closing(opened(tmp_path)) as gallery:
        await enroll(gallery, 0, "ada")
        done = await asyncio.to_thread(run_python, ENROLL_UNDER_A_NEWER_KEY, tmp_path)
        assert done.returncode == 0, done.stderr
        with pytest.raises(CropKeyMissing):
            await gallery.merge_identities("default", "ada", "bob")
        with pytest.raises(CropKeyMissing):
            await gallery.split_identity("default", "bob", ["1" * 32], "new", "")
        found = await gallery.search("default", np.eye(4, dtype=np.float32)[1:2], 1)
        assert found.candidates[0][0].identity_id == "bob"
        assert gallery.damaged_galleries == ()


def change(folder: Path, records: "dict[bytes, bytes]") -> None:
    """Writes records of crops past the server."""
    with lmdb.open(str(folder), max_dbs=99) as environment:
        crops = environment.open_db(b"crops", create=False)
        with environment.begin(db=crops, write=True) as transaction:
            for key, value in records.items():
                transaction.put(key, value)


def stored(folder: Path) -> dict[bytes, bytes]:
    with lmdb.open(str(folder), max_dbs=99, readonly=True) as environment:
        crops = environment.open_db(b"crops", create=False)
        with environment.begin(db=crops) as transaction:
            return {bytes(key): bytes(value) for key, value in transaction.cursor()}


async def test_no_file_holds_a_crop_in_plain(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as gallery:
        for number in range(3):
            await enroll(gallery, number)
        files = [one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()]
    whole = b"".join(files)
    assert len(whole) > CROPS.nbytes  # they are in there
    assert SIGNATURE in png_of(CROPS[0])
    assert SIGNATURE not in whole
    assert b"IHDR" not in whole
    for crop in CROPS:
        assert crop[40, :16].tobytes() not in whole
        assert png_of(crop)[100:132] not in whole


async def test_one_crop_is_never_encrypted_twice_in_the_same_way(tmp_path: Path) -> None:
    assert len({KEYS.seal(b"crop", b"")[8:20] for _ in range(100)}) == 100
    assert KEYS.open(KEYS.seal(b"crop", b"x"), b"x") == b"crop"
    with pytest.raises(UnreadableCrop):
        KEYS.open(KEYS.seal(b"crop", b"x"), b"y")
    with pytest.raises(UnreadableCrop):
        OTHERS.open(KEYS.seal(b"crop", b"x"), b"x")
    with pytest.raises(UnreadableCrop):
        KEYS.open(KEYS.ids[0], b"x")


async def test_a_crop_in_anothers_place_is_damage(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as gallery:
        for number, name in enumerate(["ada", "bo", "cy"]):
            await enroll(gallery, number, name)
    assert damaged_galleries(tmp_path, KEYS) == ()
    (first, one), (second, two), _ = stored(tmp_path).items()
    change(tmp_path, {first: two, second: one})
    # Without the key the records look alike; with it, the check finds what the server finds.
    assert damaged_galleries(tmp_path) == ()
    assert damaged_galleries(tmp_path, KEYS) == ("default",)
    with closing(opened(tmp_path)) as gallery:
        np.testing.assert_array_equal(await gallery.kept_crop("default", f"{2:032x}"), CROPS[2])
        for number in (0, 1):
            with pytest.raises(GalleryDamaged):
                await gallery.kept_crop("default", f"{number:032x}")


async def test_a_crop_of_no_template_is_damage_without_the_key_too(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as gallery:
        await enroll(gallery, 0)
    ((key, record),) = stored(tmp_path).items()
    change(tmp_path, {key[:-1] + b"\x7f": record})
    assert damaged_galleries(tmp_path) == ("default",)


async def test_another_key_is_refused_when_the_gallery_is_opened(tmp_path: Path) -> None:
    opened(tmp_path, OTHERS).close()  # nothing is kept yet, so that any key will do
    with closing(opened(tmp_path)) as gallery:
        await enroll(gallery, 0)
    with pytest.raises(WrongCropKey, match=r"enrollment_crop_key_file .* crops drop"):
        opened(tmp_path, OTHERS)
    with closing(
        opened(tmp_path, None)
    ) as gallery:  # nothing is kept or read, so that none is needed
        await gallery.delete_identity("default", "ada")
    assert stored(tmp_path) == {}


async def test_a_key_before_the_one_in_force_goes_on_reading(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as gallery:
        await enroll(gallery, 0)
    both = CropKeys.parse(OTHERS.format() + KEYS.format())
    with closing(opened(tmp_path, both)) as gallery:
        await enroll(gallery, 1)
        for number in (0, 1):
            found = await gallery.kept_crop("default", f"{number:032x}")
            np.testing.assert_array_equal(found, CROPS[number])
    for alone in (KEYS, OTHERS):
        with pytest.raises(WrongCropKey):
            opened(tmp_path, alone)


@pytest.mark.parametrize("text", ["", "\n", "00" * 31, "00" * 33, "xx" * 32, f"{'00' * 32}\n" * 9])
def test_what_is_no_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -hex 32") as refused:
        CropKeys.parse(text)
    assert not text.strip() or text.strip() not in str(refused.value)


def test_a_picture_of_another_size_is_no_crop() -> None:
    np.testing.assert_array_equal(crop_of(png_of(CROPS[0])), CROPS[0])
    for png in (b"", b"text", png_of(CROPS[0][:100])):
        with pytest.raises(ValueError, match="PNG of a crop"):
            crop_of(png)
