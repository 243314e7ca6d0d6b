"""What is cut out of a SavedModel is put back, to the byte, or refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facewire_serving.graph import Graph, GraphError

CONSTANTS = {
    "kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "bias": np.array([0.5, -0.25], np.float32),
}
FILES = {
    "saved_model.pb": b"begin"
    + CONSTANTS["bias"].tobytes()
    + CONSTANTS["kernel"].tobytes()
    + b"odd!odd!end",
    "variables/variables.index": b"an index" + CONSTANTS["bias"].tobytes(),
}


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "saved" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "saved"


@pytest.fixture
def graph(saved_model: Path, tmp_path: Path) -> Graph:
    """A graph that has been through its archive."""
    Graph.cut(saved_model, CONSTANTS, "2.21.0").write(tmp_path / "graph.zip")
    return Graph.read(tmp_path / "graph.zip")


def test_the_files_come_back_byte_for_byte(graph: Graph, tmp_path: Path) -> None:
    graph.fill(CONSTANTS, tmp_path / "out")
    found = {
        str(path.relative_to(tmp_path / "out")): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert found == FILES


def test_the_constants_are_not_in_the_graph(graph: Graph) -> None:
    assert graph.files["saved_model.pb"].content == b"beginodd!odd!end"
    assert graph.tensorflow == "2.21.0"


def test_the_archive_does_not_change_with_the_clock(graph: Graph, tmp_path: Path) -> None:
    graph.write(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "graph.zip").read_bytes()
    assert Graph.read(tmp_path / "again.zip") == graph


@pytest.mark.parametrize("change", [0.001, 1.0])
def test_other_weights_are_refused(graph: Graph, tmp_path: Path, change: float) -> None:
    other = CONSTANTS | {"bias": CONSTANTS["bias"] + np.float32(change)}
    with pytest.raises(GraphError, match=r"saved_model\.pb is not the file that TensorFlow wrote"):
        graph.fill(other, tmp_path / "out")
    assert not (tmp_path / "out" / "saved_model.pb").exists()


def test_a_missing_constant_is_named(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="the constant bias"):
        graph.fill({"kernel": CONSTANTS["kernel"]}, tmp_path / "out")


def test_the_digest_changes_with_every_note(graph: Graph) -> None:
    (name, file), *_ = graph.files.items()
    others = [
        replace(graph, tensorflow="2.22.0"),
        replace(graph, files={**graph.files, name: replace(file, sha256="0" * 64)}),
        replace(graph, files={**graph.files, name: replace(file, cuts=((1, "kernel"),))}),
    ]
    assert len({one.digest() for one in [graph, *others]}) == 4


@pytest.mark.parametrize(("data", "times"), [(b"none", 0), (b"odd!", 2)])
def test_a_constant_must_stand_in_the_file_once(saved_model: Path, data: bytes, times: int) -> None:
    with pytest.raises(GraphError, match=f"odd stands {times} times"):
        Graph.cut(saved_model, {"odd": np.frombuffer(data, np.float32)}, "2.21.0")


def test_constants_do_not_overlap(saved_model: Path) -> None:
    part = CONSTANTS["kernel"].reshape(-1)[:4]
    with pytest.raises(GraphError, match="overlaps"):
        Graph.cut(saved_model, CONSTANTS | {"part": part}, "2.21.0")
