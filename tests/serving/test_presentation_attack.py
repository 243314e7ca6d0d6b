"""The servable `presentation_attack` as exported, against the published TensorFlow Lite file."""

import numpy as np
import pytest
import tensorflow as tf

from facewire_server.proof import attack_proof
from facewire_serving import tflite_file

NAME = "presentation_attack"


@pytest.fixture(scope="module")
def published(attack_weights, in_openvino):
    """Scores pictures with the published file, by OpenVINO's own reader of TensorFlow Lite."""
    run = in_openvino(attack_weights)

    def log_odds(pictures):
        found = []
        for picture in pictures:
            (logits,) = run([picture[None, :, :, ::-1].astype(np.float32)])[0].astype(np.float64)
            first, live, second = logits
            found.append(np.logaddexp(first, second) - live)
        return np.array(found)

    return log_odds


@pytest.fixture(scope="module", params=["tensorflow", "openvino"])
def exported(request, attack_weights, model_folder, in_openvino):
    """Scores pictures with the servable, in either engine."""
    folder = model_folder(NAME)
    if request.param == "openvino":
        run = in_openvino(folder)
        return lambda pictures: run({"faces": pictures})["log_odds"]
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return lambda pictures: signature(faces=tf.constant(pictures))["log_odds"].numpy()


@pytest.fixture(scope="module")
def pictures():
    noise = np.random.default_rng(7).integers(0, 256, (4, 80, 80, 3), np.uint8)
    flat = np.stack([np.full((80, 80, 3), value, np.uint8) for value in (0, 255)])
    return np.concatenate([attack_proof.pictures(), noise, flat])


def test_the_servable_agrees_with_the_published_network(exported, published, pictures):
    found = exported(pictures)
    assert (found.shape, found.dtype) == ((len(pictures),), np.float32)
    np.testing.assert_allclose(found, published(pictures), rtol=1e-4, atol=1e-3)


def test_no_picture_is_taken(exported, pictures):
    assert exported(pictures[:0]).shape == (0,)


def test_the_known_log_odds_are_those_of_the_published_file(published):
    found = published(attack_proof.pictures())
    np.testing.assert_allclose(found, attack_proof.GOLDEN_LOG_ODDS, rtol=0, atol=1e-3)


def test_a_file_of_another_kind_is_refused(tmp_path):
    other = tmp_path / "other.tflite"
    other.write_bytes(b"\0" * 64)
    with pytest.raises(ValueError, match="no TensorFlow Lite model"):
        tflite_file.operators(other)
