"""What was deleted is in no file after a purge: by time, by command, and with several processes on the gallery."""

import subprocess
from pathlib import Path

from bench.erasure import measure
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from harness.kept_unknown import UNKNOWN_KINDS
from harness.running import running_server
from integration.test_gallery_backups import command
from integration.test_hanging_and_damaged import entries

PEOPLE = 40
"""Of whom every tenth stays."""


async def test_nothing_of_deleted_people_is_in_any_file_after_a_purge(tmp_path: Path) -> None:
    found = await measure(tmp_path, PEOPLE)
    assert found.before["ids"] > 0
    assert found.before["names"] + found.before["old names"] > 0
    assert found.after.total() == 0, found.after
    assert (found.pending_before > 0, found.pending_after) == (True, 0)
    assert all(
        found.kept[kind] >= PEOPLE // 10
        for kind in ("vectors", "names", "ids", "templates", "crops")
    )


async def test_nothing_of_unknown_people_is_left_who_were_forgotten_or_enrolled(
    tmp_path: Path,
) -> None:
    found = await measure(tmp_path, PEOPLE, is_purged=False)
    for kind in UNKNOWN_KINDS:
        assert found.before[kind] == found.after[kind] == 0, "at once, not at the next purge"
        assert found.kept[kind] == PEOPLE // 3


async def test_without_a_purge_it_is(tmp_path: Path) -> None:
    found = await measure(tmp_path, PEOPLE, is_purged=False)
    assert found.after.total() > 0
    assert found.pending_after == found.pending_before > 0


def files_with(folder: Path, text: str) -> str:
    """Names of the files that hold a text, read by another process: closing a file drops LMDB's locks on it."""
    done = subprocess.run(
        ["grep", "-rlaF", text, folder], capture_output=True, text=True, check=False
    )
    return done.stdout


def test_a_server_erases_in_its_time(models: Path, tmp_path: Path) -> None:
    with (
        running_server(data=tmp_path, erase_within_s=0.0) as server,
        server.channel() as channel,
    ):
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.CreateIdentity(gallery_pb2.CreateIdentityRequest(identity_id="person-deleted"))
        assert files_with(tmp_path / "gallery", "person-deleted")
        galleries.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id="person-deleted"))
        while galleries.GetGallery(gallery_pb2.GetGalleryRequest()).gallery.pending_purge_count:
            pass
        while not entries(server, "deleted_erased"):
            pass
        assert files_with(tmp_path / "gallery", "person-deleted") == ""


def test_a_command_erases_at_once_while_a_server_runs(models: Path, tmp_path: Path) -> None:
    with running_server(data=tmp_path) as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.CreateIdentity(gallery_pb2.CreateIdentityRequest(identity_id="kept"))
        galleries.CreateIdentity(gallery_pb2.CreateIdentityRequest(identity_id="person-deleted"))
        galleries.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id="person-deleted"))
        info = galleries.GetGallery(gallery_pb2.GetGalleryRequest()).gallery
        assert info.pending_purge_count == 1
        assert (
            "1 people, 0 templates, 0 negative examples, 1 deletions pending"
            in command(tmp_path, "stats")[1]
        )
        folder = tmp_path / "gallery"
        assert command(tmp_path, "compact") == (
            0,
            f"{folder}: rewritten without what was deleted\n",
        )
        assert files_with(folder, "person-deleted") == ""
        assert (
            galleries.GetGallery(gallery_pb2.GetGalleryRequest()).gallery.pending_purge_count == 0
        )
        kept = galleries.ListIdentities(gallery_pb2.ListIdentitiesRequest()).identities
        assert [one.identity_id for one in kept] == ["kept"]
        status, text = command(tmp_path, "stats")
        assert (status, "nothing to be erased" in text, "file: generation 2" in text) == (
            0,
            True,
            True,
        )
        assert command(tmp_path, "backup", tmp_path / "backup")[0] == 0
    assert command(tmp_path / "new", "restore", tmp_path / "backup")[0] == 0
    assert command(tmp_path / "new", "verify")[0] == 0
    with running_server(data=tmp_path / "new") as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        kept = galleries.ListIdentities(gallery_pb2.ListIdentitiesRequest()).identities
        assert [one.identity_id for one in kept] == ["kept"]


def test_commands_of_a_folder_without_a_gallery_name_it(tmp_path: Path) -> None:
    for verb in ("compact", "stats"):
        status, text = command(tmp_path, verb)
        assert (status, f"there is no gallery in {tmp_path / 'gallery'}" in text) == (1, True)
