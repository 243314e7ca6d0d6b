"""Crops of what is enrolled: kept by a server whose settings say so, read by its key alone, moved to another key, removed."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import facewire
from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from fakes.journals import files_of
from harness.running import running_server
from integration.scraping import scrape, total
from integration.test_hanging_and_damaged import entries

# One portrait is enrolled under two names.
pytestmark = pytest.mark.filterwarnings("ignore::facewire.SimilarIdentityWarning")

KEY, OTHER_KEY = "5a" * 32, "c3" * 32


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    return file


@pytest.fixture(scope="module")
def kept(models: Path, tmp_path_factory: pytest.TempPathFactory, astronaut) -> Path:
    """A data folder with a person whose crop was kept, and one whose crop was not."""
    folder = tmp_path_factory.mktemp("data")
    key = tmp_path_factory.mktemp("secret") / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    with running_server(data=folder) as server, facewire.Client(server.address) as client:
        client.enroll("before", astronaut)
        assert not client.server_info().has(facewire.Feature.ENROLLMENT_CROPS)
    with (
        running_server(
            data=folder,
            keep_enrollment_crops=True,
            enrollment_crop_key_file=key,
            metrics_listen="127.0.0.1:0",
        ) as server,
        facewire.Client(server.address) as client,
    ):
        client.enroll("ada", [astronaut, astronaut[:, ::-1]])
        client.enroll("gone", astronaut)
        client.delete_identity("gone")
        assert client.server_info().has(facewire.Feature.ENROLLMENT_CROPS)
        port = int(entries(server, "metrics_listening")[0]["address"].rpartition(":")[2])
        assert total(scrape(port)[1], "facewire_enrollment_crops") == 2
        assert KEY not in server.log()
    return folder


def command(data: Path, *arguments: object) -> tuple[int, str]:
    """Runs `facewire-server`; returns its exit status and all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "facewire_server", *map(str, arguments), "--data", data],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


async def crops(data: Path, *keys: str) -> list[np.ndarray | None]:
    """The crop of each template, in order of identities."""
    with closing(
        LmdbGallery(
            data / "gallery",
            vector_search=ExactSearch(),
            model_contract_id="other",
            dimension=128,
            crop_keys=CropKeys([bytes.fromhex(key) for key in keys]),
        )
    ) as gallery:
        return [
            await gallery.kept_crop("default", template.template_id)
            for person in await gallery.list_identities("default", "", 99)
            for template in await gallery.list_templates("default", person.identity_id, "", 99)
        ]


async def test_the_crop_is_what_the_model_saw_and_lies_in_no_file(kept: Path) -> None:
    first, mirrored, before = await crops(kept, KEY)
    assert before is None
    assert first is not None
    assert mirrored is not None
    # Landmarks of a picture and of its mirror image differ by less than a pixel.
    assert np.abs(first[:, ::-1].astype(int) - mirrored).mean() < 12
    stored = b"".join(files_of(kept).values())
    for crop in (first, mirrored):
        assert crop[56].tobytes() not in stored
    assert b"\x89PNG" not in stored


def test_a_server_with_another_key_or_none_says_what_to_do(kept: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    for text, reason in (
        (OTHER_KEY, "is not the one that encrypted the kept crops: put that one into the file"),
        ("secret-words", "64 hexadecimal digits; make one with: openssl rand -hex 32"),
        ("", f"{wrong} is empty"),
    ):
        wrong.write_text(text)
        flags = ("--keep-enrollment-crops", "--enrollment-crop-key-file", wrong)
        status, printed = command(kept, "run", *flags)
        assert (status, reason in printed) == (1, True), printed
        assert "secret-words" not in printed
    status, printed = command(kept, "run", "--keep-enrollment-crops")
    assert (status, "name it by enrollment_crop_key_file" in printed) == (2, True), printed


async def test_another_key_takes_over_and_the_old_one_is_wanted_no_more(
    kept: Path, tmp_path: Path, key: Path
) -> None:
    before = await crops(kept, KEY)
    key.write_text(f"{OTHER_KEY}\n{KEY}\n")
    named = ("--enrollment-crop-key-file", key)
    assert command(kept, "crops", "rekey", *named) == (
        0,
        "2 crops encrypted again with the first key of the file\n",
    )
    assert command(kept, "crops", "rekey", *named)[1].startswith("0 crops")
    key.write_text(OTHER_KEY)
    assert command(kept, "gallery", "verify", *named)[0] == 0
    after = await crops(kept, OTHER_KEY)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    key.write_text(f"{KEY}\n{OTHER_KEY}\n")
    assert command(kept, "crops", "rekey", *named)[0] == 0


async def test_a_backup_has_the_crops_and_needs_their_key(
    kept: Path, tmp_path: Path, key: Path
) -> None:
    assert command(kept, "gallery", "backup", tmp_path / "backup")[0] == 0
    restored = tmp_path / "restored"
    assert command(restored, "gallery", "restore", tmp_path / "backup")[0] == 0
    assert sum(one is not None for one in await crops(restored, KEY)) == 2
    # A lost key: the crops go, and a new key can be taken.
    key.write_text(OTHER_KEY)
    assert command(restored, "crops", "drop") == (0, "2 crops removed\n")
    assert await crops(restored, OTHER_KEY) == [None, None, None]
