"""An export is whole or not there, private, and goes back in."""

import asyncio
import errno
import os
import stat
import threading

import grpc
import pytest

import facewire
from facewire._wire import export_file, gallery_file, import_requests
from fakes.server import failure


@pytest.fixture
def portraits(astronaut):
    return [facewire.Image.from_array(astronaut[:256, x : x + 256]) for x in (96, 128, 160)]


@pytest.fixture
def exported(client, portraits, tmp_path):
    client.enroll("ada", portraits, display_name="Ada Lovelace")
    client.create_identity("bo")
    told = []
    path = tmp_path / "all.facewire"
    gallery = client.export_gallery(path, progress=lambda *each: told.append(each))
    assert (gallery.identity_count, gallery.template_count) == (2, 3)
    assert told == [(1, 3), (2, 3), (3, 3)]
    return path


def test_what_was_exported_is_imported_once(client, exported):
    client.create_gallery("copy")
    told = []
    first = client.import_gallery(exported, gallery="copy", progress=lambda *e: told.append(e))
    assert (first.identities_added, first.templates_added, first.templates_skipped) == (2, 3, 0)
    assert told == [(1, 3), (2, 3), (3, 3)]
    again = client.import_gallery(exported, gallery="copy")
    assert (again.identities_added, again.templates_added, again.templates_skipped) == (0, 0, 3)
    assert client.identity("ada", gallery="copy").display_name == "Ada Lovelace"


def test_what_is_written_and_read_in_parts_is_the_same(client, exported, monkeypatch):
    monkeypatch.setattr(export_file, "_WRITE_BYTES", 1)
    monkeypatch.setattr(import_requests, "_BATCH_BYTES", 1)
    client.create_gallery("copy")
    assert client.import_gallery(exported, gallery="copy").templates_added == 3
    whole = exported.read_bytes()
    client.export_gallery(exported)
    assert exported.read_bytes() == whole


def test_only_its_owner_may_read_an_export(exported):
    assert exported.stat().st_mode & 0o777 == 0o600


def test_an_export_starts_again_when_the_server_asks_for_it(fake, client, exported, tmp_path):
    fake.cut_export_after = 2
    client.export_gallery(tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == exported.read_bytes()


def test_an_export_that_fails_leaves_what_was_there(fake, client, exported):
    before = exported.read_bytes()
    fake.fail_next("ExportGallery", failure(grpc.StatusCode.INTERNAL, "INTERNAL"))
    with pytest.raises(facewire.ServerError):
        client.export_gallery(exported)
    assert exported.read_bytes() == before
    assert list(exported.parent.iterdir()) == [exported]


def test_an_import_is_tried_again(fake, client, exported):
    fake.fail_next("ImportGallery", failure(grpc.StatusCode.UNAVAILABLE, "STORAGE_BUSY"))
    assert client.import_gallery(exported).templates_skipped == 3
    assert fake.calls["ImportGallery"] == 2


class Stop(BaseException):
    """Of a kind that gRPC does not take notice of."""


@pytest.mark.parametrize("kind", [KeyError, Stop])
def test_an_error_of_the_callers_progress_comes_out_as_it_is(client, exported, kind):
    def stop(done, total):
        raise kind("mine")

    for move in (client.export_gallery, client.import_gallery):
        with pytest.raises(kind, match="mine"):
            move(exported, progress=stop)
    assert list(exported.parent.iterdir()) == [exported]


def test_an_export_of_another_model_is_refused(fake, client, exported):
    fake.galleries.contract_id = "e" * 64
    with pytest.raises(facewire.ContractMismatchError):
        client.import_gallery(exported)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda data: b"PK" + data, "no gallery was exported"),
        (lambda data: b"", "no gallery was exported"),
        (lambda data: data[:-1], "damaged"),
        (lambda data: data[:-33], "cut off"),
        (lambda data: data[:40], "cut off"),
        (lambda data: data + b"\0", "damaged"),
        (lambda data: data.replace(b"Ada", b"Eve"), "damaged"),
        (lambda data: data[:19] + b"\xff\xff\xff\xff\x0f" + data[24:], "damaged"),
    ],
)
def test_nothing_of_a_bad_file_is_sent(fake, client, exported, spoil, text):
    exported.write_bytes(spoil(exported.read_bytes()))
    with pytest.raises(ValueError, match=text):
        client.import_gallery(exported)
    assert fake.calls["ImportGallery"] == 0


@pytest.fixture
def checking(monkeypatch):
    """Set when the check of a file has begun, which has no end."""
    begun = threading.Event()

    def endless(path):
        first, *_ = gallery_file.records(path)
        while True:
            yield first
            begun.set()

    monkeypatch.setattr(import_requests, "records", endless)
    return begun


def test_closing_a_client_ends_the_check_of_a_file(client, exported, checking):
    closing = threading.Thread(target=lambda: checking.wait(60) and client.close())
    closing.start()
    with pytest.raises(ValueError, match="closed"):
        client.import_gallery(exported)
    closing.join()


async def test_a_cancelled_import_leaves_the_check_of_its_file(fake, client, exported, checking):
    async with facewire.AsyncClient(fake.address) as own:
        importing = asyncio.ensure_future(own.import_gallery(exported))
        assert await asyncio.to_thread(checking.wait, 60)
        importing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await importing


def test_health_tells_what_is_ready(fake, client):
    assert client.health().ready
    fake.not_serving = {"facewire.v1.RecognitionService"}
    health = client.health()
    assert (health.server, health.recognition, health.galleries) == (True, False, True)
    assert not health.ready


def test_an_export_that_is_not_on_the_disk_is_no_success_and_its_file_is_named(
    client, exported, tmp_path, monkeypatch
):
    real = os.fsync

    def fails_for(kind):
        def fsync(file):
            if kind(os.fstat(file).st_mode):
                raise OSError(errno.ENOSPC, "No space left on device")
            real(file)

        return fsync

    for kind in (stat.S_ISREG, stat.S_ISDIR):
        monkeypatch.setattr(os, "fsync", fails_for(kind))
        with pytest.raises(OSError, match="No space left") as failed:
            client.export_gallery(tmp_path / "second")
        assert failed.value.filename == str(tmp_path / "second")
    assert {path.name for path in tmp_path.iterdir()} == {"all.facewire", "second"}
