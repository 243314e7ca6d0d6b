"""A disk that is full or takes no writes: the text names cause and next step, nothing is lost, and nothing is called damaged that is not."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from harness.running import RunningServer, running_server

NOWHERE = "127.0.0.1:1"
LIGHT = {"detector_address": NOWHERE, "embedder_address": NOWHERE}
READ_ONLY = (
    "the disk is read-only: make it writable (the kernel's log says why it is not), then try again"
)
FULL = "the disk is full: free some room on it, then try again"

ON_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'

ON_FULL = """
mount -t tmpfs -o size=24m tmpfs "$1" && cp -r "$2/data" "$1" && rm "$1/data/gallery/lock.mdb" || exit 3
dd if=/dev/zero of="$1/filler" bs=4096 2> /dev/null
data="$1/data"
shift 2
"$@" --data "$data"
echo "status $?"
rm "${data%data}filler"
"$1" -m facewire_server gallery verify --data "$data"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder in which one person is enrolled."""
    with running_server(data=tmp_path / "data", **LIGHT) as server:
        create(server, "ann")
    return tmp_path / "data"


def create(server: RunningServer, identity_id: str) -> None:
    with server.channel() as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        stub.CreateIdentity(gallery_pb2.CreateIdentityRequest(identity_id=identity_id))


def in_namespace(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the script where it may mount; skips the test if that is not possible here."""
    prefix = ("unshare", "--map-root-user", "--mount")
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("may not make mount namespaces here")
    return subprocess.run(
        [*prefix, "sh", "-c", script, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


COMMANDS = {
    "run": ("run", "--listen", "127.0.0.1:0"),
    "verify": ("gallery", "verify"),
    "backup": ("gallery", "backup", "{elsewhere}"),
}


def command(name: str, elsewhere: Path) -> list[str]:
    words = [word.format(elsewhere=elsewhere) for word in COMMANDS[name]]
    return [sys.executable, "-m", "facewire_server", *words]


@pytest.mark.parametrize("name", COMMANDS)
def test_on_a_read_only_disk_a_command_says_so_and_what_to_do(
    data: Path, tmp_path: Path, name: str
) -> None:
    done = in_namespace(ON_READ_ONLY, data, *command(name, tmp_path / "backup"), "--data", data)
    assert done.returncode == 1
    assert READ_ONLY in done.stderr
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_gallery_on_a_full_disk_is_not_called_damaged(
    data: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "disk").mkdir()
    shutil.rmtree(data / "journal")
    (data / "gallery" / "reserve").unlink()
    done = in_namespace(ON_FULL, tmp_path / "disk", tmp_path, *command(name, tmp_path / "b"))
    assert FULL in done.stderr
    assert "damaged" not in done.stderr
    assert done.stdout.splitlines() == ["status 1", f"{tmp_path / 'disk/data/gallery'}: sound"]


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A file system that stops writes after a fault, and the file that makes a fault of it when "1" is written to it."""
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    image.write_bytes(b"")
    with image.open("r+b") as file:
        file.truncate(64 << 20)
    steps = [
        ["mkfs.ext4", "-q", str(image)],
        ["mount", "-o", "loop,errors=remount-ro", str(image), str(folder)],
    ]
    for step in steps:
        if not shutil.which(step[0]) or subprocess.run(step, check=False).returncode:
            pytest.skip("may not mount a file system of its own here (loop, ext4)")
    try:
        device = subprocess.run(
            ["findmnt", "-no", "SOURCE", folder], capture_output=True, text=True, check=True
        ).stdout.strip()
        yield folder, Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error")
    finally:
        subprocess.run(["umount", folder], check=True)


def health(server: RunningServer, service: str) -> str:
    with server.channel() as channel:
        response = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=f"facewire.v1.{service}")
        )
    return health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)


def test_a_server_whose_disk_becomes_read_only_says_so_and_goes_on_reading(
    failing_disk: tuple[Path, Path],
) -> None:
    folder, fault = failing_disk
    with running_server(data=folder / "data", **LIGHT) as server:
        create(server, "ann")
        fault.write_text("1")
        with pytest.raises(grpc.RpcError) as refused:
            create(server, "bob")
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "is read-only: its operator must make it writable; nothing was written" in (
            refused.value.details() or ""
        )
        with server.channel() as channel:
            listed = gallery_pb2_grpc.GalleryServiceStub(channel).ListIdentities(
                gallery_pb2.ListIdentitiesRequest()
            )
        assert [one.identity_id for one in listed.identities] == ["ann"]
        while health(server, "GalleryService") == "SERVING":  # the test's timeout ends it
            time.sleep(0.05)
        server.interrupt()
        server.wait()
        assert '"event": "gallery_state_changed", "is_writable": false' in server.log()
        assert "internal_error" not in server.log()
