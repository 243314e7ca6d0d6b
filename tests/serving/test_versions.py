"""The newest version folder is served, and changing it costs no answer."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from facewire_serving import engines, warm_up
from facewire_serving.versions import Versions

LOADING, AVAILABLE, END = 20, 30, 50
FACES = {"faces": np.zeros((1, 112, 112, 3), np.uint8)}


@pytest.fixture
def folder(model_folder, tmp_path) -> Path:
    shutil.copytree(model_folder("embedding"), tmp_path / "embedding" / "1")
    return tmp_path / "embedding"


@pytest.fixture
def versions(folder) -> Versions:
    polled = Versions("embedding", folder, engines.tensorflow)
    polled.poll()
    return polled


def states(versions):
    return [(version, state) for version, state, _ in versions.states()]


def test_the_newest_version_is_served(versions):
    assert versions.get(None).version == 1
    assert versions.get(1) is versions.get(None)
    assert versions.get(2) is None
    assert states(versions) == [(1, AVAILABLE)]


def test_rolling_forward_and_back(versions, folder):
    first = versions.get(None)
    shutil.copytree(folder / "1", folder / "10")
    shutil.copytree(folder / "1", folder / "9")
    versions.poll()
    assert versions.get(None).version == 10, "versions are numbers, not names"
    assert states(versions) == [(10, AVAILABLE), (1, END)]
    assert first.run("serving_default", FACES)["embeddings"].shape == (1, 128), "in hand"
    shutil.rmtree(folder / "10")
    shutil.rmtree(folder / "9")
    versions.poll()
    assert versions.get(None).version == 1
    assert states(versions) == [(10, END), (1, AVAILABLE)]


def test_a_version_that_cannot_be_loaded_leaves_the_one_before(versions, folder):
    (folder / "2").mkdir()
    versions.poll()
    versions.poll()
    assert versions.get(None).version == 1
    (version, state, error), _ = versions.states()
    assert (version, state) == (2, END)
    assert "saved_model.pb" in error


def test_folders_without_a_number_and_an_empty_folder_change_nothing(versions, folder):
    (folder / ".building-2").mkdir()
    (folder / "new").mkdir()
    versions.poll()
    shutil.rmtree(folder / "1")
    versions.poll()
    assert versions.get(None).version == 1


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
@pytest.mark.parametrize("name", ["mtcnn", "embedding"])
def test_warm_up_records_run_through_the_signature(model_folder, name, engine):
    directory = model_folder(name)
    run = engines.ENGINES[engine](directory)
    records = list(warm_up.read(directory))
    assert len(records) > 1
    found = [run(signature, inputs) for signature, inputs in records]
    signatures = {signature for signature, _ in records}
    assert signatures == ({"serving_default", "follow"} if name == "mtcnn" else {"serving_default"})
    if name == "mtcnn":
        # Proposals reach the last network: otherwise it would be cold.
        assert all(len(answer["scores"]) for answer in found)
