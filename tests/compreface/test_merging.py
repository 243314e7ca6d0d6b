"""A subject that is renamed to the name of another one is merged with it for every client, with its audit line and what was seen."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import facewire
from facewire import Outcome
from facewire_console.compreface.keys import add_key
from harness.compreface_calls import Caller, address_of
from harness.console_running import running_console
from harness.running import RunningServer, running_server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(models: Path, folder: Path) -> Iterator[RunningServer]:
    """A server of the test's own, whose audit log is looked at."""
    with running_server(data=folder, frame_timeout_s=60) as running:
        yield running


def test_all_clients_see_one_person(
    server: RunningServer, folder: Path, tmp_path: Path, people
) -> None:
    key = add_key(tmp_path / "keys", "default")
    with (
        running_console(server.address, compreface_keys=tmp_path / "keys") as console,
        facewire.Client(server.address) as client,
    ):
        door = Caller(address_of(console), key)
        ada = door.add("ada", people.ada)
        (stays,) = client.identities()
        eve = door.add("eve", people.ada_again)
        (found,) = client.recognize(people.ada).faces
        assert found.decision.outcome is Outcome.AMBIGUOUS

        assert door.send("/recognition/subjects/eve", {"subject": "Ada"}, "PUT").status == 200
        (merged,) = client.identities()
        assert (merged.identity_id, merged.display_name) == (stays.identity_id, "ada")
        assert merged.template_count == 2
        (found,) = client.recognize(people.ada).faces
        assert (found.decision.outcome, found.decision.display_name) == (Outcome.KNOWN, "ada")
        listed = door.get("/recognition/faces?subject=ada").body["faces"]
        assert {face["image_id"] for face in listed} == {ada, eve}

        assert door.delete("/recognition/subjects/ada").body == {"subject": "ada"}
        assert list(client.identities()) == []
    lines = [
        json.loads(line) for line in (folder / "audit" / "audit.jsonl").read_text().splitlines()
    ]
    kept, goes = (line["record"] for line in lines if line["what"] == "enroll")
    (merge,) = (line for line in lines if line["what"] == "merge_identities")
    assert (merge["record"], merge["other_record"]) == (kept, goes)
    (deleted,) = (line for line in lines if line["what"] == "delete_identity")
    assert deleted["record"] == kept
