"""The committed graphs are TensorFlow's, current, and hold no weights; what is built from them is what it exports."""

import hashlib
from importlib.metadata import version

import pytest
from rich.console import Console

from facewire_serving import export
from facewire_serving.graph import GRAPHS, Graph
from facewire_serving.servables import SERVABLES

pytestmark = pytest.mark.parametrize("servable", SERVABLES, ids=lambda servable: servable.name)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """What the exporter writes now, by servable."""
    out = tmp_path_factory.mktemp("graphs")
    assert export.main(["--out", str(out)]) == 0
    return {servable.name: Graph.read(out / f"{servable.name}.zip") for servable in SERVABLES}


@pytest.fixture
def committed(servable):
    return Graph.read(GRAPHS / f"{servable.name}.zip")


def test_the_committed_graph_is_what_the_exporter_writes(servable, committed, fresh):
    # Bytes of the archives may differ: they depend on the version of zlib.
    assert committed == fresh[servable.name], "run `make graphs` and commit what changed"


def test_the_built_model_is_what_tensorflow_exports_byte_for_byte(servable, fresh, model_folder):
    folder = model_folder(servable.name)
    files = fresh[servable.name].files
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files} == {
        name: file.sha256 for name, file in files.items()
    }
    assert {"saved_model.pb", "assets.extra/tf_serving_warmup_requests"} <= files.keys()


def test_no_weights_are_in_the_graph(servable, committed, cache):
    constants = servable.constants(cache, Console(stderr=True))
    file = committed.files["saved_model.pb"]
    assert {name for _, name in file.cuts} == constants.keys()
    # The smallest constants could stand in it by chance.
    large = [array.tobytes() for array in constants.values() if array.nbytes >= 32]
    assert large
    assert not [data for data in large if data in file.content]


def test_the_graph_is_of_the_pinned_tensorflow(servable, committed):
    assert committed.tensorflow == version("tensorflow-cpu")
