"""The committed model contract: its identity, and its golden embeddings in every engine."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from facewire_server.proof import canary
from facewire_serving import embedder, embedding, weights

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location(
        "make_model_contract", ROOT / "tools/make_model_contract.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def document(tool):
    return json.loads(tool.MODEL_CONTRACT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def golden(document):
    return np.array(document["canary"]["golden"], np.float32)


@pytest.fixture(scope="module")
def in_engine(model_folder, in_openvino):
    return in_openvino(model_folder("embedding"))


def test_the_contract_names_the_weights_of_the_manifest(document):
    assert document["contract"] == {
        "weights_sha256": weights.SFACE.sha256,
        "dimension": embedding.DIMENSION,
        "alignment_template": "arcface-112-v1",
        "crop_px": embedder.CROP_PX,
        "resampling": "area-then-bilinear-v1",
        "preprocessing": "sface-rgb-0-255-v1",
    }


def test_the_calibration_is_that_of_the_tool(tool, document):
    assert document["calibration"] == tool.CALIBRATION


def test_the_norms_are_those_of_the_tool(tool, document):
    norms = document["min_norm"], document["enroll_min_norm"]
    assert norms == (tool.MIN_NORM, tool.ENROLL_MIN_NORM)


def test_the_published_network_gives_the_golden_embeddings(tool, golden, cache):
    answer = tool.golden(weights.sface_onnx(cache))
    np.testing.assert_allclose(answer, golden, rtol=0, atol=1e-5)


def test_tensorflow_passes_the_canary(golden, model_folder):
    signature = tf.saved_model.load(str(model_folder("embedding"))).signatures["serving_default"]
    answer = signature(faces=tf.constant(canary.crops()))["embeddings"].numpy()
    assert canary.check(answer, golden) >= canary.CANARY_MIN_COSINE


def test_openvino_passes_the_canary(golden, in_engine):
    answer = in_engine({"faces": canary.crops()})["embeddings"]
    assert canary.check(answer, golden) >= canary.CANARY_MIN_COSINE


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(lambda crops: crops[..., ::-1], id="blue_before_red"),
        pytest.param(lambda crops: crops[:, :, ::-1], id="mirrored"),
        pytest.param(lambda crops: crops // 255, id="scaled_to_one"),
        pytest.param(lambda crops: np.roll(crops, 1, axis=2), id="shifted_by_a_pixel"),
        pytest.param(lambda crops: np.maximum(crops, 1) - 1, id="one_gray_level_darker"),
    ],
)
def test_the_canary_tells_crops_that_are_fed_wrongly(feed, golden, in_engine):
    answer = in_engine({"faces": np.ascontiguousarray(feed(canary.crops()))})["embeddings"]
    assert canary.check(answer, golden) < canary.CANARY_MIN_COSINE
