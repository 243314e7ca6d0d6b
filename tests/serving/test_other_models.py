"""The servables that can be chosen as exported, against the published files, and their contracts."""

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from facewire_server.proof import canary
from facewire_serving import weights

TOLERANCE = 1e-4
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location(
        "make_other_contracts", ROOT / "tools/make_other_contracts.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NAMES = (*weights.FACENET, "w600k_mbf")


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def published(name, tool):
    """Embeds crops with the published file."""
    return tool.published(name)


@pytest.fixture(scope="module", params=["tensorflow", "openvino"])
def exported(request, name, model_folder, in_openvino):
    """Embeds crops with the servable, in either engine; unit vectors and their lengths before."""
    folder = model_folder(name)
    if request.param == "openvino":
        run = in_openvino(folder)
    else:
        signature = tf.saved_model.load(str(folder)).signatures["serving_default"]

        def run(inputs):
            return signature(faces=tf.constant(inputs["faces"]))

    def embed(crops):
        outputs = run({"faces": crops})
        return np.asarray(outputs["embeddings"]), np.asarray(outputs["norms"])

    return embed


@pytest.fixture(scope="module")
def crops():
    """The canary, noise, flat ones, and a real face at four angles: (12, 112, 112, 3) uint8."""
    face = cv2.resize(skimage.data.astronaut()[40:180, 150:290], (112, 112))
    turned = [
        cv2.warpAffine(face, cv2.getRotationMatrix2D((56, 56), angle, 1), (112, 112))
        for angle in (-10, 0, 10, 90)
    ]
    noise = np.random.default_rng(7).integers(0, 256, (2, 112, 112, 3), np.uint8)
    flat = np.stack([np.full((112, 112, 3), value, np.uint8) for value in (0, 255)])
    return np.concatenate([canary.crops(), noise, flat, turned])


def test_the_servable_agrees_with_the_published_network(exported, published, crops):
    embeddings, norms = exported(crops)
    np.testing.assert_allclose(embeddings, published(crops), rtol=0, atol=TOLERANCE)
    assert embeddings.dtype == norms.dtype == np.float32
    assert (norms > 0).all()


def test_any_number_of_faces_is_taken_and_none(exported, crops):
    together, _ = exported(crops[:5])
    apart = np.concatenate([exported(crops[row : row + 1])[0] for row in range(5)])
    np.testing.assert_allclose(apart, together, rtol=0, atol=1e-5)
    embeddings, norms = exported(crops[:0])
    assert (embeddings.shape, norms.shape) == ((0, 512), (0,))


def test_the_contract_is_what_the_tool_writes(name, tool):
    held = json.loads((tool.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    made = json.loads(json.dumps(tool.document(name)))
    golden, again = (np.array(one.pop("canary")["golden"], np.float32) for one in (held, made))
    assert held == made
    np.testing.assert_allclose(again, golden, rtol=0, atol=1e-5)


def test_the_canary_tells_the_models_apart(name, exported, tool):
    embeddings, _ = exported(canary.crops())
    for other in NAMES:
        held = json.loads((tool.FOLDER / f"{other}.json").read_text(encoding="utf-8"))
        cosine = canary.check(embeddings, np.array(held["canary"]["golden"], np.float32))
        assert (cosine >= canary.CANARY_MIN_COSINE) is (other == name)
