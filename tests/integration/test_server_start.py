"""A server that cannot be what its settings say ends at once, and says which setting; one that can says what it found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import facewire
from harness.running import running_server


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (
            ("--embedder-address", "emb-a:8500,emb-b"),
            "embedder_address is 'emb-a:8500,emb-b': 'emb-b' is not host:port",
        ),
        (("--detector-address", "mtcnn"), "detector_address is 'mtcnn': 'mtcnn' is not host:port"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(
    tmp_path: Path, flags: tuple[str, str], reason: str
) -> None:
    command = [sys.executable, "-m", "facewire_server", "run", "--data", str(tmp_path), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert reason in done.stderr


def test_the_log_says_which_folder_was_opened_and_how_many_people_are_in_it(
    models: Path, tmp_path: Path
) -> None:
    def data_of_a_start(data: Path, people: int = 0) -> dict[str, object]:
        with running_server(data=data) as server, facewire.Client(server.address) as client:
            for number in range(people):
                gallery = client.create_gallery(f"g{number}").gallery_id
                client.create_identity("ada", gallery=gallery)
            entries = [json.loads(line) for line in server.log().splitlines()]
        (started,) = (entry for entry in entries if entry["event"] == "server_started")
        return started["data"]

    data = tmp_path / "data"
    new = {"folder": str(data.resolve()), "is_new": True, "people": 0}
    assert data_of_a_start(data, people=2) == new
    assert data_of_a_start(data) == new | {"is_new": False, "people": 2}
    elsewhere = tmp_path / "elsewhere"
    assert data_of_a_start(elsewhere) == new | {"folder": str(elsewhere.resolve())}
