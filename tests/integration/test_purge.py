"""PurgeDeleted over real servers, one of them of two workers: nothing deleted is left, and one call at a time does it."""

import fcntl
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from fakes.wire import reason_and_fields, served
from harness.running import RunningServer, running_server
from integration.test_audit_log import verified
from integration.test_erasure import files_with
from integration.test_hanging_and_damaged import entries

pytestmark = pytest.mark.timeout(300)

SMALL_WINDOW = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1 << 16))
"""Of a connection that holds 64 KiB unread."""

PURGE = gallery_pb2.PurgeDeletedRequest()


def reason(error: Any) -> str:
    """`ErrorInfo.reason` of a blocking call."""
    return reason_and_fields(error)[0]


class Purged(NamedTuple):
    """A server of two workers, and its data folder."""

    server: RunningServer
    data: Path

    def people(self) -> list[str]:
        with facewire.Client(self.server.address) as client:
            return [one.identity_id for one in client.identities()]


@pytest.fixture(scope="module")
def purged(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Purged]:
    data = tmp_path_factory.mktemp("data")
    with running_server(workers=2, threads=2, data=data) as server:
        yield Purged(server, data)


def test_both_workers_let_go_of_what_was_deleted(purged: Purged) -> None:
    with facewire.Client(purged.server.address) as client:
        client.create_identity("kept")
        for number in range(20):
            client.create_identity(f"person-deleted-{number}", display_name=f"Deleted {number}")
            client.delete_identity(f"person-deleted-{number}")
        assert files_with(purged.data, "person-deleted")
        assert client.gallery().pending_purge_count == 20
        assert client.purge_deleted()
        assert files_with(purged.data, "person-deleted") == ""
        assert client.gallery().pending_purge_count == 0
        assert not client.purge_deleted()
    assert purged.people() == ["kept"]
    (erased,) = entries(purged.server, "deleted_erased")
    lines = (purged.data / "audit" / "audit.jsonl").read_text().splitlines()
    assert ['"what":"purge","deletions":20' in line for line in lines].count(True) == 1
    assert verified(purged.data).returncode == 0
    assert erased["deletion_count"] == 20


def test_many_calls_rewrite_the_files_once_and_are_told_so(purged: Purged) -> None:
    """Each has a connection of its own, so that both workers have some."""
    with facewire.Client(purged.server.address) as client:
        client.create_identity("person-deleted")
        client.delete_identity("person-deleted")
    before = len(entries(purged.server, "deleted_erased"))
    begin = threading.Barrier(12)

    def call() -> str:
        options = (("grpc.use_local_subchannel_pool", 1),)
        with grpc.insecure_channel(purged.server.address, options) as channel:
            begin.wait()
            try:
                gallery_pb2_grpc.GalleryServiceStub(channel).PurgeDeleted(PURGE)
            except grpc.RpcError as error:
                return f"{reason(error)}: {error.details()}"
            return "OK"

    with ThreadPoolExecutor(12) as threads:
        told = Counter(one.result() for one in [threads.submit(call) for _ in range(12)])
    assert told.pop("OK") >= 1
    assert set(told) <= {
        "STORAGE_BUSY: the storage is rewritten already; call again when that is done",
        "STORAGE_BUSY: another process rewrites the storage",
    }
    with facewire.Client(purged.server.address) as client:
        client.purge_deleted()
        assert client.gallery().pending_purge_count == 0
    # Beside the one that rewrote, the other worker's may have found the same work before it was done.
    assert len(entries(purged.server, "deleted_erased")) - before <= 2
    assert files_with(purged.data / "gallery", "person-deleted") == ""


def people(count: int, contract_id: str) -> Iterator[gallery_pb2.ImportGalleryRequest]:
    """An import of people without a template: more than a connection holds unread."""
    header = gallery_pb2.ExportHeader(
        gallery=gallery_pb2.Gallery(model_contract_id=contract_id), dimension=128
    )
    yield gallery_pb2.ImportGalleryRequest(record=gallery_pb2.GalleryRecord(header=header))
    for number in range(count):
        identity = gallery_pb2.Identity(identity_id=f"many-{number}", display_name="x" * 250)
        yield gallery_pb2.ImportGalleryRequest(record=gallery_pb2.GalleryRecord(identity=identity))


def test_an_export_that_is_not_read_ends_and_keeps_no_file(
    purged: Purged, astronaut: NDArray[np.uint8]
) -> None:
    portrait = cv2.imencode(".jpg", astronaut[:256, 96:352, ::-1])[1].tobytes()
    with (
        facewire.Client(purged.server.address) as client,
        grpc.insecure_channel(purged.server.address, SMALL_WINDOW) as channel,
    ):
        client.enroll("eileen", [portrait])
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.ImportGallery(people(5000, client.gallery().model_contract_id))
        exporting = galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
        next(exporting)
        client.delete_identity("eileen")
        assert client.purge_deleted()
        assert files_with(purged.data / "gallery", "eileen") == ""
        with pytest.raises(grpc.RpcError) as caught:
            list(exporting)
        assert reason(caught.value) == "STORAGE_BUSY"
        exported = list(galleries.ExportGallery(gallery_pb2.ExportGalleryRequest()))
        assert sum(one.record.HasField("identity") for one in exported) == len(purged.people())


def test_a_storage_that_cannot_be_rewritten_now_says_so(purged: Purged) -> None:
    with facewire.Client(purged.server.address) as client, purged.server.channel() as channel:
        client.create_identity("person-deleted")
        client.delete_identity("person-deleted")
        lock = os.open(purged.data / "gallery" / "switch.lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(grpc.RpcError) as caught:
                gallery_pb2_grpc.GalleryServiceStub(channel).PurgeDeleted(PURGE)
        finally:
            os.close(lock)
        assert reason(caught.value) == "STORAGE_BUSY"
        assert caught.value.details() == "another process rewrites the storage"
        assert client.gallery().pending_purge_count == 1
        assert client.purge_deleted()


async def test_a_call_says_whether_something_was_erased_and_the_caller_is_kept() -> None:
    """`Erasing` keeps the lines: tests/unit/app/test_erasing.py."""
    counts, peers = iter([0, 3]), []

    async def purge(peer: str) -> int:
        peers.append(peer)
        return next(counts)

    async with served(purge=purge) as wire:
        assert not (await wire.galleries.PurgeDeleted(PURGE)).rewritten
        assert (await wire.galleries.PurgeDeleted(PURGE)).rewritten
    assert all(peer.startswith("ipv4:127.0.0.1:") for peer in peers)
