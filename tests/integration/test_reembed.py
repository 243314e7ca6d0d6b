"""`facewire-server reembed` with a second model that is real: people are found by it, and by the first one again afterwards."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import facewire
from facewire_server import model_contracts
from facewire_server.app.values import read_model_contract
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.pipeline.embed import Embedder
from facewire_server.proof import canary
from fakes.python import PATHS, run_module
from harness.running import running_server

DENSE_BYTES = 50_176 * 128 * 4
"""Bytes of the kernel of SFace's last layer, float32."""


def varint(number: int) -> bytes:
    """The number as protobuf writes it."""
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


@pytest.fixture(scope="module")
def second(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with another embedding model, `models`, and its contract, `second.json`.

    It is SFace with the columns of its last kernel in another order: as good, and in a space of its own.
    """
    folder = tmp_path_factory.mktemp("second")
    target = folder / "models/embedding/1"
    target.mkdir(parents=True)
    (folder / "models/mtcnn").symlink_to((models / "mtcnn").resolve())
    graph = bytearray((models / "embedding/1/saved_model.pb").read_bytes())
    head = b"\x22" + varint(DENSE_BYTES)  # TensorProto.tensor_content
    start = graph.index(head) + len(head)
    kernel = np.frombuffer(graph, np.float32, DENSE_BYTES // 4, start).reshape(-1, 128)
    order = np.random.default_rng(8).permutation(128)
    graph[start : start + DENSE_BYTES] = np.ascontiguousarray(kernel[:, order]).tobytes()
    (target / "saved_model.pb").write_bytes(graph)
    sface = json.loads((Path(model_contracts.__path__[0]) / "sface.json").read_text())
    with closing(OpenVinoModel(target.parent, "serving_default", threads=1)) as engine:
        golden = asyncio.run(Embedder(engine, 128).embed(canary.crops())).embeddings
    contract = {
        "contract": sface["contract"] | {"weights_sha256": "0" * 64},
        "canary": sface["canary"] | {"golden": golden.tolist()},
    }
    (folder / "second.json").write_text(json.dumps(contract))
    return folder


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("secret") / "key"
    file.write_text("5a" * 32)
    file.chmod(0o600)
    return file


def reembed(data: Path, key: object, *arguments: object) -> tuple[int, str, str]:
    """Runs the command; returns its exit status, and what it printed to both outputs."""
    files = ("--data", data, "--enrollment-crop-key-file", key)
    done = run_module("facewire_server", "reembed", *files, *arguments)
    return done.returncode, done.stdout, done.stderr


async def enroll_without_crop(data: Path) -> None:
    """Enrolls "earlier" in the gallery "x", as a server does that keeps no crops."""
    with closing(
        LmdbGallery(
            data / "gallery",
            vector_search=ExactSearch(),
            model_contract_id=read_model_contract("sface").id,
            dimension=128,
        )
    ) as gallery:
        await gallery.create_gallery("x", "")
        who = NewIdentity("earlier", create=True)
        vector = np.eye(128, dtype=np.float32)[:1]
        await gallery.enroll("x", who, [EnrollmentResult("e" * 32)], vector)


KILLED_AT = """
import os, signal, sys
from facewire_server.__main__ import main
from facewire_server.app import reembed_command

setattr(reembed_command, sys.argv.pop(1), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
sys.exit(main())
"""


def reembed_killed_at(step: str, data: Path, key: object, *arguments: object) -> None:
    """Runs the command, and kills it when it begins a step."""
    files = ("--data", data, "--enrollment-crop-key-file", key)
    command = [sys.executable, "-c", KILLED_AT, step, "reembed", *files, *arguments]
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | {"PYTHONPATH": PATHS},
        check=False,
        capture_output=True,
        timeout=200,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def backed_up(backup: Path, folder: Path) -> list[str]:
    """Restores a backup elsewhere, and returns who is in it."""
    done = run_module("facewire_server", "gallery", "restore", backup, "--data", folder)
    assert done.returncode == 0, done.stderr
    with running_server(data=folder) as server, facewire.Client(server.address) as client:
        return [one.identity_id for one in client.identities()]


@pytest.mark.timeout(600)  # two servers and five commands, each of which loads models
def test_killed_after_its_backup_or_after_the_switch_the_same_command_goes_on(
    models: Path, second: Path, key: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    keeping: dict[str, Any] = {"keep_enrollment_crops": True, "enrollment_crop_key_file": key}
    contract = ("--contract", second / "second.json", "--models", second / "models")
    new = (*contract, "--backup", backup)
    with running_server(data=data, **keeping) as server, facewire.Client(server.address) as client:
        client.enroll("ada", astronaut)
        reembed_killed_at("forget_deleted", data, key, *new)  # the first step after the backup
        assert backup.exists()
        assert named(client, astronaut)[0] == "ada"
        client.create_identity("since")
    (tmp_path / "other").mkdir()
    status, _, errors = reembed(data, key, *contract, "--backup", tmp_path / "other")
    assert (status, "exists: name a folder that does not" in errors) == (1, True)
    reembed_killed_at("erase_deleted", data, key, *new)  # the first step after the switch
    status, printed, errors = reembed(data, key, *new)
    assert (status, "already" in printed) == (0, True), errors
    assert list((data / "reembed").glob("*.vectors*")) == []
    done = run_module("facewire_server", "audit", "verify", "--data", data)
    assert done.returncode == 0, done.stderr
    assert backed_up(backup, tmp_path / "restored") == ["ada", "since"]


def named(client: facewire.Client, picture: np.ndarray) -> tuple[str, float]:
    """The identity that the one face is said to be, and the similarity."""
    (face,) = client.recognize(picture).faces
    assert face.decision is not None
    return face.decision.identity_id, face.decision.similarity


@pytest.mark.timeout(400)  # three servers and four commands, each of which loads models
@pytest.mark.filterwarnings("ignore::facewire.SimilarIdentityWarning")
def test_there_and_back_with_everyone_of_whom_a_crop_was_kept(
    models: Path, second: Path, key: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    data = tmp_path / "data"
    keeping: dict[str, Any] = {"keep_enrollment_crops": True, "enrollment_crop_key_file": key}
    new = ("--contract", second / "second.json", "--models", second / "models")
    asyncio.run(enroll_without_crop(data))
    with (
        running_server(data=data, **keeping) as server,
        facewire.Client(server.address) as client,
    ):
        client.enroll("ada", astronaut)
        before = client.gallery()

        # The one of whom no crop was kept is named, on the terminal alone, and nothing happens.
        status, printed, errors = reembed(data, key, *new, "--backup", tmp_path / "no")
        assert (status, "x\tearlier\tearlier\t0 of 1\n" in printed) == (1, True)
        assert "people without a crop, to be enrolled again: 1; with a part" in errors
        assert "earlier" not in errors
        assert not (tmp_path / "no").exists()
        assert named(client, astronaut)[0] == "ada"

        report = tmp_path / "report"
        status, printed, errors = reembed(
            data, key, *new, "--drop", "--report", report, "--backup", tmp_path / "backup"
        )
        assert status == 0, errors
        assert "FACEWIRE_MODEL_CONTRACT=" in printed
        assert "earlier" not in printed + errors
        assert "earlier" in report.read_text()
        assert list((data / "reembed").glob("*.vectors*")) == []
        # The server that ran all the time has the old model, and searches no gallery of the new one.
        with pytest.raises(facewire.ContractMismatchError):
            client.recognize(astronaut)
        after = client.gallery()
        assert (after.revision, after.template_count) == (before.revision + 1, 1)
        assert after.model_contract_id != before.model_contract_id
        assert "earlier" not in server.log()
    with (
        running_server(
            data=data, models=second / "models", model_contract=second / "second.json", **keeping
        ) as server,
        facewire.Client(server.address) as client,
    ):
        identity_id, similarity = named(client, astronaut)
        assert (identity_id, similarity > 0.9) == ("ada", True)
        assert client.identity("earlier", gallery="x").template_count == 0
        client.enroll("new", astronaut[:, ::-1], gallery="x")  # under the new model
    # The way back: everyone with a crop, also who was enrolled since.
    status, _, errors = reembed(
        data, key, "--contract", "sface", "--models", models, "--backup", tmp_path / "second"
    )
    assert status == 0, errors
    again = reembed(
        data, key, "--contract", "sface", "--models", models, "--backup", tmp_path / "third"
    )
    assert again[:2] == (0, "all galleries are of sface already\n")
    with running_server(data=data, **keeping) as server, facewire.Client(server.address) as client:
        identity_id, similarity = named(client, astronaut)
        assert (identity_id, similarity > 0.9) == ("ada", True)
        (face,) = client.recognize(astronaut, gallery="x").faces
        assert face.decision is not None
        assert face.decision.identity_id == "new"


@pytest.mark.timeout(400)  # two servers and two commands, each of which loads models
def test_facenet_is_one_setting_and_one_command_away_for_everyone_with_a_crop(
    both: Path, key: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    data = tmp_path / "data"
    keeping: dict[str, Any] = {"keep_enrollment_crops": True, "enrollment_crop_key_file": key}
    facenet: dict[str, Any] = {"models": both, "model_contract": "facenet_vggface2"} | keeping
    with (
        running_server(data=data, models=both, **keeping) as server,
        facewire.Client(server.address) as client,
    ):
        client.enroll("ada", astronaut)
        sface_id = client.gallery().model_contract_id
    # Switched, but not embedded again: nobody is compared across two models.
    with (
        running_server(data=data, **facenet) as server,
        facewire.Client(server.address) as client,
        pytest.raises(facewire.ContractMismatchError),
    ):
        client.recognize(astronaut)
    status, _, errors = reembed(
        *(data, key, "--contract", "facenet_vggface2", "--models", both),
        *("--backup", tmp_path / "backup"),
    )
    assert status == 0, errors
    with running_server(data=data, **facenet) as server, facewire.Client(server.address) as client:
        identity_id, similarity = named(client, astronaut)
        assert (identity_id, similarity > 0.9) == ("ada", True)
        assert client.gallery().model_contract_id != sface_id
        assert "facenet_vggface2" in server.log()


def test_without_the_key_or_with_the_wrong_model_nothing_is_changed(
    models: Path, second: Path, key: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    data = tmp_path / "data"
    with (
        running_server(
            data=data, keep_enrollment_crops=True, enrollment_crop_key_file=key
        ) as server,
        facewire.Client(server.address) as client,
    ):
        client.enroll("ada", astronaut)
        contract = ("--contract", second / "second.json", "--backup", tmp_path / "backup")
        status, _, errors = reembed(data, key, *contract, "--models", models)
        assert (status, "embedding" in errors) == (1, True), errors
        wrong = tmp_path / "wrong"
        wrong.write_text("c3" * 32)
        for keys, reason in (
            (wrong, "is not the one that encrypted the kept crops"),
            ("", "enrollment_crop_key_file is not set"),
        ):
            status, _, errors = reembed(data, keys, *contract, "--models", second / "models")
            assert (status, reason in errors) == (1, True), errors
        assert not (tmp_path / "backup").exists()
        assert named(client, astronaut)[0] == "ada"
