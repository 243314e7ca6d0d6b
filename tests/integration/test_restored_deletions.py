"""Who was deleted after a backup is not brought back by it: people, merged people, pictures and galleries of a real server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from harness.running import RunningServer, running_server
from integration.test_audit_log import verified
from integration.test_erasure import files_with
from integration.test_gallery_backups import command

pytestmark = pytest.mark.timeout(600)

EVERYBODY = ["ada", "bo", "cy", "cy-again", "eve", "eve-again", "fay"]
LEFT = ["bo", "cy", "cy-again", "fay"]
MAY_BE_BACK = "who was deleted after the backup may be back"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(models: Path, data: Path) -> Iterator[RunningServer]:
    with running_server(workers=2, threads=2, frame_timeout_s=60, data=data) as running:
        yield running


def backed_up_and_changed(
    client: facewire.Client, data: Path, backup: Path, portrait: NDArray[np.uint8]
) -> None:
    """Makes a backup, and deletes and merges afterwards."""
    client.create_gallery("visitors")
    client.create_identity("zoe", gallery="visitors")
    client.enroll("bo", [portrait, portrait])
    taken_back = client.add_negative_example("bo", portrait[:, ::-1])
    client.add_negative_example("bo", portrait)
    for name in EVERYBODY:
        if name != "bo":
            client.create_identity(name)
    assert command(data, "backup", backup)[0] == 0
    client.delete_identity("ada")
    client.merge_identities("cy", "cy-again")
    client.merge_identities("eve", "eve-again")
    client.delete_identity("eve")
    first, _ = client.templates("bo")
    client.delete_template(first.template_id)
    client.delete_negative_example(taken_back.example.negative_example_id)
    client.delete_gallery("visitors")


def names(client: facewire.Client) -> list[str]:
    return [one.identity_id for one in client.identities()]


def test_who_was_deleted_after_the_backup_is_deleted_again_unless_it_is_told_to_keep_them(
    server: RunningServer, data: Path, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    with facewire.Client(server.address) as client:
        backed_up_and_changed(client, data, backup, portrait)
        (second,) = client.templates("bo")
        client.create_identity("new")
        status, text = command(data, "restore", backup, "--replace")
        assert (status, text) == (
            0,
            f"{backup} restored into {data / 'gallery'}\n"
            "deleted again, as after the backup: galleries 1, identities 3, templates 1, negative_examples 1\n",
        )
        assert names(client) == LEFT
        assert [one.template_id for one in client.templates("bo")] == [second.template_id]
        assert client.identity("bo").negative_example_count == 1
        assert [one.gallery_id for one in client.galleries()] == ["default"]
        assert client.gallery().pending_purge_count == 0
        assert files_with(data / "gallery", "eve-again") == ""
        assert verified(data).returncode == 0
        # The backup after it has none of them: what was deleted before it deletes nobody.
        later = tmp_path / "later"
        assert command(data, "backup", later)[0] == 0
        assert "deleted again" not in command(data, "restore", later, "--replace")[1]
        kept = command(data, "restore", backup, "--replace", "--keep-deleted")
        assert kept == (0, f"{backup} restored into {data / 'gallery'}\n")
        assert names(client) == EVERYBODY
        assert len(list(client.templates("bo"))) == 2
        assert names_in(client, "visitors") == ["zoe"]
        # Also after two restores the log has a line of each change since the first backup.
        done = command(data, "restore", backup, "--replace")
        assert (done[0], MAY_BE_BACK in done[1]) == (0, False), done[1]
        assert command(data, "restore", backup, "--replace", "--keep-deleted")[0] == 0
        # Kept on purpose, they are in the next backup, and stay.
        assert command(data, "backup", tmp_path / "kept")[0] == 0
        assert command(data, "restore", tmp_path / "kept", "--replace")[0] == 0
        assert names(client) == EVERYBODY
    lines = map(json.loads, (data / "audit" / "audit.jsonl").read_text().splitlines())
    again, *_ = [line for line in lines if line["what"] == "deleted_again"]
    kinds = ("galleries", "identities", "templates", "negative_examples")
    assert [again[kind] for kind in kinds] == [1, 3, 1, 1]


def names_in(client: facewire.Client, gallery: str) -> list[str]:
    return [one.identity_id for one in client.identities(gallery=gallery)]


def test_where_the_log_cannot_say_it_the_command_does(
    models: Path, data: Path, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    with running_server(data=data) as server, facewire.Client(server.address) as client:
        backed_up_and_changed(client, data, backup, portrait)
        client.split_identity("bo", [one.template_id for one in client.templates("bo")], "di")
        client.delete_identity("di")
    log = data / "audit" / "audit.jsonl"
    whole = log.read_text()

    status, text = command(data, "restore", backup, "--replace")
    assert (status, MAY_BE_BACK in text) == (0, False)
    assert "gallery default: bo may have templates of a person who was deleted" in text

    # A line of the deletions is not there, as after a full disk.
    lines = whole.splitlines(keepends=True)
    ada = next(n for n, line in enumerate(lines) if '"delete_identity"' in line)
    log.write_text("".join([*lines[:ada], *lines[ada + 1 :]]))
    status, text = command(data, "restore", backup, "--replace")
    assert status == 0
    assert f"{MAY_BE_BACK}: the audit log in {data / 'audit'} is damaged" in text
    assert f"{MAY_BE_BACK}: gallery default: the audit log has no line of the changes" in text
    assert "identities 2" in text, "those whose lines are there are deleted nevertheless"

    shutil.rmtree(data / "audit")
    status, text = command(data, "restore", backup, "--replace")
    assert status == 0
    assert f"{MAY_BE_BACK}: there is no audit log in {data / 'audit'}" in text
    # The log that this restore has begun does not say who was deleted before it.
    status, text = command(data, "restore", backup, "--replace")
    assert f"{MAY_BE_BACK}: gallery default: the audit log begins after the backup" in text
