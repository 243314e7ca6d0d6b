"""The SavedModels are built by one command, complete or not at all, without TensorFlow."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facewire_serving import models, servables, weights
from facewire_serving.graph import GRAPHS, Graph, GraphError


def build(out: Path, *arguments: str) -> int:
    return models.main(["--out", str(out), "--only", "embedding", *arguments])


@pytest.fixture
def built(models: Path, tmp_path: Path) -> Path:
    """A folder of models with a copy of the built `embedding`."""
    shutil.copytree(models / "embedding", tmp_path / "models" / "embedding")
    assert build(tmp_path / "models") == 0
    return tmp_path / "models"


def entries(folder: Path) -> dict[Path, int]:
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_build_imports_no_tensorflow(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = (
        "import sys; from facewire_serving import models; status = models.main(sys.argv[1:]); "
        "print([each for each in ('tensorflow', 'onnx') if each in sys.modules]); sys.exit(status)"
    )
    command = [sys.executable, "-c", program, "--out", str(tmp_path)]
    subprocess.run(command, check=True, env=environment())
    assert capfd.readouterr().out.strip() == "[]"
    built = {path.name for path in tmp_path.iterdir()}
    assert built == {one.name for one in servables.SERVABLES if one.is_default}
    for name in built:
        assert (tmp_path / name / "1" / "saved_model.pb").is_file()


def test_a_non_commercial_model_is_built_only_by_who_accepts_its_license(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--out", str(tmp_path), "--only", "w600k_mbf"]
    assert models.main(command) == 2
    said = capsys.readouterr().err
    assert "InsightFace's, for non-commercial research only" in said
    assert "--accept-non-commercial" in said
    assert list(tmp_path.iterdir()) == []
    assert models.main([*command, "--accept-non-commercial"]) == 0
    assert (tmp_path / "w600k_mbf/1/saved_model.pb").is_file()


def test_a_second_run_changes_nothing(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = entries(built)
    capsys.readouterr()
    assert build(built) == 0
    assert "up to date" in capsys.readouterr().err
    assert entries(built) == before


def test_another_stamp_builds_again(built: Path) -> None:
    stamp = built / "embedding" / "1" / models.STAMP
    current = json.loads(stamp.read_text())
    stamp.write_text(json.dumps(current | {"graph": "of another day"}))
    assert build(built) == 0
    assert json.loads(stamp.read_text()) == current
    assert [path.name for path in (built / "embedding").iterdir()] == ["1"]


def test_the_stamp_names_the_weights_and_the_graph() -> None:
    for servable in servables.SERVABLES:
        graph = Graph.read(GRAPHS / f"{servable.name}.zip")
        stamp = models.stamp(servable, graph)
        assert stamp["weights"] == {file.name: file.sha256 for file in servable.files}
        name, file = next(iter(graph.files.items()))
        other = replace(graph, files={**graph.files, name: replace(file, sha256="0" * 64)})
        assert models.stamp(servable, other) != stamp


def test_weights_of_another_hash_build_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled, out = tmp_path / "cache", tmp_path / "models"
    spoiled.mkdir()
    (spoiled / weights.SFACE.name).write_bytes(b"not the weights")
    assert build(out, "--cache", str(spoiled)) == 1
    said = capsys.readouterr().err
    assert f"expected sha256 {weights.SFACE.sha256}" in said
    assert "found    sha256" in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("accident", "status"),
    [
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 1),
        (GraphError("saved_model.pb is not the file that TensorFlow wrote"), 1),
    ],
    ids=["interrupted", "disk_full", "another_graph"],
)
@pytest.mark.parametrize("there_before", [False, True])
def test_a_run_that_is_cut_short_leaves_what_was_there(
    accident: BaseException,
    status: int,
    there_before: bool,
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def half(graph: Graph, constants: Mapping[str, np.ndarray], directory: Path) -> None:
        directory.mkdir()
        (directory / "saved_model.pb").write_bytes(b"half")
        raise accident

    version = built / "embedding" / "1"
    (version / models.STAMP).write_text("{}")
    if not there_before:
        shutil.rmtree(version)
    before = entries(built)
    monkeypatch.setattr(Graph, "fill", half)
    assert build(built) == status
    assert entries(built) == before
    assert [path.name for path in (built / "embedding").iterdir()] == ["1"] * there_before
    assert "Traceback" not in capsys.readouterr().err


def environment() -> dict[str, str]:
    """This process's imports, for a child."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
