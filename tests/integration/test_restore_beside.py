"""`gallery restore --replace` beside a running server of two workers: all of it sees the backup, and nothing that was seen comes twice."""

import gzip
import hashlib
import json
import operator
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import grpc
import lmdb
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

import facewire
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.backends.lmdb_gallery.gallery_tables import GALLERY_STORAGE
from facewire_server.backends.lmdb_storage.opened_tables import UnusableStorage, opened_tables
from facewire_server.backends.lmdb_storage.tables import Transaction
from harness.running import RunningServer, running_server
from harness.sdk_cameras import SdkCamera
from integration.test_erasure import files_with
from integration.test_gallery_backups import ROWS, assert_first, command, enroll, opened
from integration.test_hanging_and_damaged import (
    GALLERY,
    NOT_SERVING,
    SERVING,
    flip_a_bit,
    wait_for_health,
)
from integration.test_purge import SMALL_WINDOW, people, reason

pytestmark = pytest.mark.timeout(300)

GOLDEN = Path(__file__).parents[1] / "ports" / "golden"


class Served(NamedTuple):
    """A server of two workers, and its data folder."""

    server: RunningServer
    data: Path


@pytest.fixture
def served(models: Path, tmp_path: Path) -> Iterator[Served]:
    with running_server(workers=2, threads=2, frame_timeout_s=60, data=tmp_path / "data") as server:
        yield Served(server, tmp_path / "data")


def test_cameras_and_watchers_of_all_workers_see_who_was_restored(
    served: Served, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    with facewire.Client(served.server.address) as client, ExitStack() as open_cameras:
        client.enroll("ada", [portrait], display_name="Ada of the backup")
        assert command(served.data, "backup", tmp_path / "backup")[0] == 0
        cameras = [SdkCamera(client, f"door-{n}", "default", portrait) for n in range(3)]
        for camera in cameras:
            open_cameras.enter_context(camera)
        for camera in cameras:
            camera.until(partial(operator.contains, camera.names, "Ada of the backup"))
        client.delete_identity("ada")
        client.enroll("person-replaced", [portrait])
        client.create_gallery("staff")
        client.create_identity("ada", gallery="staff")
        for camera in cameras:
            camera.until(partial(operator.contains, camera.names, "person-replaced"))
            camera.names.clear()
        default, staff = client.gallery(), client.gallery("staff")
        with client.watch_tracks(states=[facewire.TrackState.CONFIRMED]) as feed:
            restored = command(
                *(served.data, "restore", tmp_path / "backup", "--replace", "--keep-deleted")
            )
            assert restored == (
                0,
                f"{tmp_path / 'backup'} restored into {served.data / 'gallery'}\n",
            )
            seen: set[str] = set()
            while len(seen) < len(cameras):
                event = next(feed)
                if event.decision.identity_id == "ada":
                    seen.add(event.camera_id)
        for camera in cameras:
            camera.until(partial(operator.contains, camera.names, "Ada of the backup"))
        assert files_with(served.data / "gallery", "person-replaced") == ""
        assert client.gallery().revision > default.revision
        assert [one.gallery_id for one in client.galleries()] == ["default"]
        assert client.create_gallery("staff").revision > staff.revision
    for _ in range(6):  # each connection may be of another worker
        with facewire.Client(served.server.address) as client:
            assert [one.identity_id for one in client.identities()] == ["ada"]
            assert client.gallery().pending_purge_count == 0
            assert not client.purge_deleted()
    with facewire.Client(served.server.address) as client:
        client.create_identity("bo")
    lines = map(json.loads, (served.data / "audit" / "audit.jsonl").read_text().splitlines())
    numbers = [
        line["record"] for line in lines if "record" in line and line["gallery"] == "default"
    ]
    assert numbers[-1] > max(numbers[:-1]), "the number of a person never comes twice"


def test_an_export_that_is_read_meanwhile_ends(served: Served, tmp_path: Path) -> None:
    with (
        facewire.Client(served.server.address) as client,
        grpc.insecure_channel(served.server.address, SMALL_WINDOW) as channel,
    ):
        assert command(served.data, "backup", tmp_path / "backup")[0] == 0
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.ImportGallery(people(5000, client.gallery().model_contract_id))
        exporting = galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
        next(exporting)
        assert command(served.data, "restore", tmp_path / "backup", "--replace")[0] == 0
        with pytest.raises(grpc.RpcError) as caught:
            list(exporting)
        assert reason(caught.value) == "STORAGE_BUSY"
        assert list(client.identities()) == []


def test_a_damaged_gallery_is_served_again_without_a_restart(
    models: Path, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with running_server(data=data) as server, server.channel() as channel:
        with facewire.Client(server.address) as client:
            client.enroll("ada", [portrait])
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        *_, last = galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
        assert command(data, "backup", tmp_path / "backup")[0] == 0
    flip_a_bit(data / "gallery" / "data.mdb", last.record.template.embedding)
    with running_server(data=data) as server, server.channel() as channel:
        wait_for_health(channel, GALLERY, NOT_SERVING)
        done = command(data, "restore", tmp_path / "backup", "--replace")
        assert done[0] == 0, done[1]
        wait_for_health(channel, GALLERY, SERVING)
        with facewire.Client(server.address) as client:
            assert [face.name for face in client.recognize(portrait).faces] == ["ada"]
        health = health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest())
        assert {one.status for one in health.statuses.values()} == {SERVING}


def cut_short(file: Path) -> None:
    os.truncate(file, 4096)


def overwritten(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def gone(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("damage", "generation"), [(cut_short, 1), (overwritten, 2), (gone, 1), (gone, 2)]
)
async def test_in_the_place_of_a_storage_that_cannot_be_read_nothing_that_was_seen_comes_twice(
    tmp_path: Path, damage: Callable[[Path], None], generation: int
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
        assert command(data, "backup", backup)[0] == 0
        await gallery.create_gallery("staff", "")
        for number in range(1, 9):
            await enroll(gallery, number)
        seen = await gallery.get_gallery("default")
        number = (await gallery.references("default", ["0008"]))["0008"].number
    if generation == 2:
        assert command(data, "compact")[0] == 0
    file = data / "gallery" / ("data.mdb" if generation == 1 else "data.2.mdb")
    damage(file)
    status, text = command(data, "restore", backup, "--replace")
    assert (status, f"{backup} restored into" in text) == (0, True), text
    assert command(data, "verify")[0] == 0
    with closing(opened(data)) as gallery:
        assert [one.identity_id for one in await gallery.list_identities("default", "", 99)] == [
            "0000"
        ]
        assert (await gallery.get_gallery("default")).revision > seen.revision
        await enroll(gallery, 1)
        assert (await gallery.references("default", ["0001"]))["0001"].number > number
        assert (await gallery.create_gallery("staff", "")).revision > seen.revision
    left = {path.name for path in (data / "gallery").iterdir()}
    assert not any(name.endswith((".part", ".erase")) for name in left)


def test_while_a_process_uses_a_storage_that_cannot_be_read_it_is_not_replaced(
    tmp_path: Path,
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    file = data / "gallery" / "data.mdb"
    with closing(opened(data)):
        assert command(data, "backup", backup)[0] == 0
        cut_short(file)
        status, text = command(data, "restore", backup, "--replace")
        assert (status, "a process uses it: stop the server, then restore again" in text) == (
            1,
            True,
        )
        assert file.stat().st_size == 4096
    assert command(data, "restore", backup, "--replace")[0] == 0


async def test_without_a_server_it_replaces_too_and_without_the_flag_it_says_what_to_do(
    tmp_path: Path,
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
        assert command(data, "backup", backup)[0] == 0
        await enroll(gallery, 1)
        status, text = command(data, "restore", backup)
        assert (status, "with --replace the backup takes its place" in text) == (1, True)
    assert command(data, "restore", backup, "--replace")[0] == 0
    with closing(opened(data)) as gallery:
        people = await gallery.list_identities("default", "", 9)
        assert [one.identity_id for one in people] == ["0000"]
        assert (await gallery.get_gallery("default")).revision > 3
    assert command(data, "verify")[0] == 0
    # Where there is nothing to replace, the flag changes nothing.
    assert command(tmp_path / "new", "restore", backup, "--replace")[0] == 0
    await assert_first(tmp_path / "new", 1)


async def test_a_backup_of_an_earlier_format_is_upgraded(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
    content = gzip.decompress((GOLDEN / "gallery_format_1.mdb.gz").read_bytes())
    assert command(data, "restore", backup_of(content, tmp_path / "old"), "--replace")[0] == 0
    assert command(data, "verify")[0] == 0
    assert "file: generation 2" in command(data, "stats")[1]


async def test_a_backup_of_a_later_format_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
    assert command(data, "backup", backup)[0] == 0
    with (
        lmdb.open(str(backup / "data.mdb"), subdir=False, lock=False, max_dbs=1) as environment,
        environment.begin(write=True) as transaction,
    ):
        transaction.put(b"format", b"99", db=environment.open_db(b"meta", transaction))
    later = backup_of((backup / "data.mdb").read_bytes(), tmp_path / "later")
    for folder, flags in ((data, ["--replace"]), (tmp_path / "new", [])):
        status, text = command(folder, "restore", later, *flags)
        assert (status, "was made by another version of the server" in text) == (1, True), text
        assert "it has format 99" in text
    await assert_first(data, 1)
    assert not list((tmp_path / "new").glob("gallery/data*"))


async def test_a_server_of_an_earlier_version_refuses_what_a_switch_leaves_of_the_first_file(
    tmp_path: Path,
) -> None:
    """It knows no generations: it opens `data.mdb`, which must not look to it as a gallery without people."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    with closing(opened(data)) as gallery:
        await enroll(gallery, 0)
    assert command(data, "backup", backup)[0] == 0
    assert command(data, "restore", backup, "--replace")[0] == 0
    earlier = GALLERY_STORAGE._replace(format=b"1", upgrades={})
    with (
        lmdb.open(str(data / "gallery"), max_dbs=len(earlier.all_tables)) as environment,
        environment.begin(write=True, buffers=True) as transaction,
        pytest.raises(UnusableStorage, match="made by another version") as caught,
    ):
        opened_tables(environment, earlier, Transaction(transaction, {}), is_alone=True)
    assert "start the newer server" in str(caught.value)


def backup_of(content: bytes, folder: Path) -> Path:
    """A backup that an earlier version made."""
    folder.mkdir()
    (folder / "data.mdb").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({"sha256": digest}))
    return folder


RESTORE = """
import os, signal, sys
from pathlib import Path
from facewire_server.backends.lmdb_gallery.restores import restore

backup, folder, step = sys.argv[1:]
left = int(step)
CHANGES = ("os.rename", "os.remove", "os.link", "os.chmod", "shutil.copyfile", "open")

def count(event, arguments):
    global left
    if event in CHANGES and str(arguments[0]).startswith(folder):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
restore(Path(backup), Path(folder), is_replacing=True)
"""


@pytest.mark.timeout(600)
async def test_killed_at_any_step_it_leaves_the_old_galleries_or_the_backup(tmp_path: Path) -> None:
    first, backup = tmp_path / "first", tmp_path / "backup"
    with closing(opened(first)) as gallery:
        for number in range(3):
            await enroll(gallery, number)
        assert command(first, "backup", backup)[0] == 0
        await enroll(gallery, 3)
    outcomes: set[int] = set()
    for step in range(200):
        data = tmp_path / "data"
        shutil.copytree(first, data)
        done = subprocess.run(
            [sys.executable, "-c", RESTORE, backup, data / "gallery", str(step)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        assert done.returncode in (0, -signal.SIGKILL)
        with closing(opened(data)) as gallery:
            found = await gallery.list_identities("default", "", 9)
            outcomes.add(len(found))
            await gallery.tidy()
            assert await gallery.purge() == 0
            (best,) = (await gallery.search("default", ROWS[1:2], 1)).candidates[0]
            assert best.identity_id == "0001"
        left = {path.name for path in (data / "gallery").iterdir()}
        assert not any(name.endswith((".part", ".erase")) for name in left)
        await assert_first(data, 3)
        shutil.rmtree(data)
        if done.returncode == 0:
            break
    assert outcomes == {3, 4}
    assert step > 10
