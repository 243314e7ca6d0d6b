"""A disk that becomes full during a switch, an import, a backup or a command: the error says so, nothing is lost, and people can be deleted."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.app.evaluate_command import write_report
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.environment import Environment
from facewire_server.backends.new_vectors import NewVectors
from facewire_server.errors import GalleryFull
from facewire_server.evaluation.cache import face_cache
from facewire_server.host.disk_faults import next_step
from fakes.python import run_module
from harness.gallery_reading import read_gallery
from harness.gallery_records import DIMENSION, vector_of
from harness.running import running_server

MIB = 1 << 20
NOWHERE = "127.0.0.1:1"
LIGHT = {"detector_address": NOWHERE, "embedder_address": NOWHERE}
FULL = re.compile("the disk (is full|has no room)")
PEOPLE = 12_000
"""Of an import: some 20 MiB in the gallery's file."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=72m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("may not mount a tmpfs here (root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            assert os.statvfs(disk).f_bavail == 0


def free(disk: Path) -> None:
    (disk / "filler").unlink()


def contents(environment: Environment) -> dict[bytes, bytes]:
    with environment.read() as transaction:
        return dict(transaction.table("blocks").scan())


def put(environment: Environment, key: bytes, value: bytes) -> None:
    environment.write(lambda transaction: transaction.table("blocks").put(key, value))


def delete(environment: Environment, key: bytes) -> None:
    environment.write(
        lambda transaction: transaction.table("blocks").delete(key), beyond_quota=True
    )


@pytest.mark.parametrize(
    "step", ["noting", "copying", "copied", "brought over", "finished", "renamed", "moving"]
)
def test_a_switch_during_which_the_disk_becomes_full(disk: Path, step: str) -> None:
    def at_step(reached: str) -> None:
        if reached == step:
            fill(disk)
        if reached == "copied":
            delete(environment, b"0")

    folder = disk / "gallery"
    expected = {b"%d" % number: bytes([number]) * 300_000 for number in range(30)}
    environment = Environment(folder, GALLERY_STORAGE, map_bytes=64 * MIB, max_bytes=64 * MIB)
    with closing(environment):
        for key, value in expected.items():
            put(environment, key, value)
        try:
            environment.switch(at_step=at_step)
        except GalleryFull as error:
            assert FULL.search(str(error))  # noqa: PT017  # at some steps there is room enough
            assert environment.generation == 1
        else:
            assert step not in ("noting", "copying")
            del expected[b"0"]
        if b"0" not in contents(environment):
            expected.pop(b"0", None)
        assert contents(environment) == expected
        delete(environment, b"1")
        del expected[b"1"]
        assert contents(environment) == expected
        free(disk)
        environment.switch()
        assert contents(environment) == expected
    assert not [path for path in folder.iterdir() if path.suffix in (".part", ".erase")]


def records(contract: str, disk: Path | None) -> Iterator[gallery_pb2.ImportGalleryRequest]:
    """An import of people with a template each; the disk becomes full in its middle."""

    def request(**record: Any) -> gallery_pb2.ImportGalleryRequest:
        return gallery_pb2.ImportGalleryRequest(record=gallery_pb2.GalleryRecord(**record))

    gallery = gallery_pb2.Gallery(model_contract_id=contract)
    yield request(header=gallery_pb2.ExportHeader(gallery=gallery, dimension=DIMENSION))
    for number in range(PEOPLE):
        if number == PEOPLE // 2 and disk is not None:
            fill(disk)
        who = f"p{number}"
        yield request(identity=gallery_pb2.Identity(identity_id=who, display_name=who))
        template = gallery_pb2.Template(template_id=f"{number:032x}", identity_id=who)
        yield request(
            template=gallery_pb2.ExportedTemplate(
                template=template, embedding=vector_of(template.template_id)
            )
        )


def import_people(
    stub: gallery_pb2_grpc.GalleryServiceStub, disk: Path | None = None
) -> gallery_pb2.ImportGalleryResponse:
    gallery = stub.GetGallery(gallery_pb2.GetGalleryRequest()).gallery
    return stub.ImportGallery(records(gallery.model_contract_id, disk), timeout=300)


def counts(stub: gallery_pb2_grpc.GalleryServiceStub) -> tuple[int, int]:
    gallery = stub.GetGallery(gallery_pb2.GetGalleryRequest()).gallery
    return gallery.identity_count, gallery.template_count


def delete_person(stub: gallery_pb2_grpc.GalleryServiceStub, identity_id: str) -> None:
    stub.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id=identity_id), timeout=60)


@pytest.mark.timeout(600)
def test_an_import_during_which_the_disk_becomes_full(disk: Path) -> None:
    with running_server(data=disk / "data", **LIGHT) as server, server.channel() as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            import_people(stub, disk)
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        people, templates = counts(stub)
        text = refused.value.details() or ""
        written = f"{people} identities, {templates} templates and 0 negative examples were written before that"
        assert f"the disk is full; {written}" in text
        assert 0 < people < PEOPLE
        delete_person(stub, "p0")
        assert counts(stub) == (people - 1, templates - 1)
        free(disk)
        import_people(stub)
        assert read_gallery(stub).wrong == ()
        assert counts(stub) == (PEOPLE, PEOPLE)


def backed_up(data: Path, into: Path) -> subprocess.CompletedProcess[str]:
    return run_module("facewire_server", "gallery", "backup", into, "--data", data)


@pytest.mark.timeout(600)
def test_a_backup_for_which_the_disk_has_no_room(disk: Path, tmp_path: Path) -> None:
    data = disk / "data"
    with running_server(data=data, **LIGHT) as server, server.channel() as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        import_people(stub)
        left = os.statvfs(disk)
        spare = (disk / "gallery.spare").open("wb")
        with spare:  # what is left takes a half of the backup
            half = (data / "gallery" / "data.mdb").stat().st_size // 2
            spare.write(bytes(max(0, left.f_bavail * left.f_frsize - half)))
        done = backed_up(data, disk / "backup")
        assert done.returncode == 1
        assert "the disk is full: free some room on it, then try again" in done.stderr
        assert not list(disk.glob("backup*"))
        fill(disk)
        delete_person(stub, "p0")
        assert backed_up(data, tmp_path / "elsewhere").returncode == 0
        assert counts(stub) == (PEOPLE - 1, PEOPLE - 1)
        assert read_gallery(stub).wrong == ()


STEP = "No space left on device; the disk is full: free some room on it, then try again"


def token(disk: Path, *words: object) -> subprocess.CompletedProcess[str]:
    words = (*words, "--token-file", disk / "tokens", "--data", disk / "data")
    return run_module("facewire_server", "token", *words, timeout_s=100)


def test_a_token_for_which_the_disk_has_no_room(disk: Path) -> None:
    assert token(disk, "add", "door", "--role", "camera").returncode == 0
    before = (disk / "tokens").read_bytes()
    fill(disk)
    for words in (("add", "yard", "--role", "camera"), ("revoke", "door")):
        done = token(disk, *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"facewire-server: {disk / 'tokens'}: {STEP}\n"
    assert (disk / "tokens").read_bytes() == before
    assert sorted(path.name for path in disk.iterdir()) == ["filler", "tokens"]
    free(disk)
    assert token(disk, "revoke", "door").returncode == 0


def test_a_token_whose_line_in_the_audit_log_has_no_room(disk: Path, tmp_path: Path) -> None:
    (disk / "data" / "gallery").mkdir(parents=True)
    fill(disk)
    words = ("token", "add", "door", "--role", "camera")
    files = ("--token-file", tmp_path / "tokens", "--data", disk / "data")
    done = run_module("facewire_server", *words, *files, timeout_s=100)
    assert done.returncode == 0
    assert done.stdout.startswith("fw_")
    assert f"this is not in the audit log: {disk / 'data'}" in done.stderr
    assert STEP in done.stderr


def told(error: OSError) -> str:
    """What a command prints of an error."""
    return f"{error}{next_step(error)}"


def test_kept_embeddings_for_which_the_disk_has_no_room(disk: Path) -> None:
    def kept() -> None:
        with face_cache(disk / "embeddings", "configuration") as cache:
            assert cache.find("0") == 1
            fill(disk)
            for number in range(10_000):
                cache.keep(f"{number:064}", 2)

    with face_cache(disk / "embeddings", "configuration") as cache:
        cache.keep("0", 1)
    with pytest.raises(OSError, match="cannot keep embeddings") as failed:
        kept()
    assert str(disk / "embeddings") in told(failed.value)
    assert told(failed.value).endswith("the disk is full: free some room on it, then try again")
    free(disk)
    with face_cache(disk / "embeddings", "configuration") as cache:
        assert cache.find("0") == 1, "what was kept before is there"


def test_a_report_of_an_evaluation_for_which_the_disk_has_no_room(disk: Path) -> None:
    report = disk / "report.html"
    write_report(report, "of before")
    fill(disk)
    with pytest.raises(OSError, match="No space left") as failed:
        write_report(report, "faces " * 100_000)
    assert str(report) in told(failed.value)
    assert told(failed.value).endswith("the disk is full: free some room on it, then try again")
    assert report.read_text() == "of before"
    assert sorted(path.name for path in disk.iterdir()) == ["filler", "report.html"]


def test_embeddings_of_another_model_for_which_the_disk_has_no_room(disk: Path) -> None:
    rows = np.ones((1000, 512), np.float32)
    with NewVectors(disk, "c" * 64) as made:
        made.add("default", [b"first"], rows[:1], rows[0, :1])
        fill(disk)
        with pytest.raises(OSError, match="cannot be written") as failed:
            made.add("default", [b"%d" % each for each in range(1000)], rows, rows[:, 0])
        assert told(failed.value).endswith("the disk is full: free some room on it, then try again")
        assert made.ids() == [("default", b"first")]


def test_an_export_for_which_the_disk_has_no_room(disk: Path) -> None:
    with running_server(data=disk / "data", **LIGHT) as server:
        with server.channel() as channel:
            import_people(gallery_pb2_grpc.GalleryServiceStub(channel))
        fill(disk)
        words = ("gallery", "export", disk / "export")
        done = run_module("facewire", "--server", server.address, *words)
    assert done.returncode == 2
    assert f"{disk / 'export'}: No space left on device. Free some room on its disk" in (
        " ".join(done.stderr.split())
    )
    assert sorted(path.name for path in disk.iterdir()) == ["data", "filler"]
