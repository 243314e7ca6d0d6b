"""The files that TensorFlow Serving is started with are what it reads: text forms of its messages."""

from pathlib import Path

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from facewire_server.pipeline import embed
from facewire_serving import batching, warm_up

SERVING = Path(__file__).parents[2] / "serving"
NAMES = ("mtcnn", "embedding")


def test_the_models_config_names_both_servables_where_their_images_have_them():
    config = text_format.Parse(
        (SERVING / "models.config").read_text(), model_server_config_pb2.ModelServerConfig()
    )
    served = [
        (one.name, one.base_path, one.model_platform) for one in config.model_config_list.config
    ]
    assert served == [(name, f"/models/{name}", "tensorflow") for name in NAMES]


def test_the_policy_that_its_comment_shows_is_one():
    shown = "model_version_policy { specific { versions: 1 } }"
    assert shown in (SERVING / "models.config").read_text()
    config = text_format.Parse(shown, model_server_config_pb2.ModelConfig())
    assert list(config.model_version_policy.specific.versions) == [1]


@pytest.fixture
def batching_parameters():
    return batching.read((SERVING / "batching.config").read_text())


def test_a_batch_takes_the_faces_of_several_predictions_of_the_server(batching_parameters):
    assert batching_parameters.max_batch_size.value >= 2 * embed._CHUNK
    assert 0 < batching_parameters.batch_timeout_micros.value <= 10_000
    queued = batching_parameters.max_enqueued_batches.value
    assert queued >= batching_parameters.num_batch_threads.value > 0


def test_a_batch_has_a_size_that_the_servable_takes(batching_parameters, model_folder):
    """Whatever calls are joined: its one input has no fixed first dimension, so sizes are not padded."""
    loaded = tf.saved_model.load(str(model_folder("embedding")))
    _, inputs = loaded.signatures["serving_default"].structured_input_signature
    assert [one.shape.as_list()[0] for one in inputs.values()] == [None]
    assert not batching_parameters.allowed_batch_sizes
    assert not batching_parameters.pad_variable_length_inputs


def test_no_warm_up_request_is_larger_than_a_batch(batching_parameters, model_folder):
    """TensorFlow Serving runs them through the batches: a larger one would keep the version from being loaded."""
    counts = [len(inputs["faces"]) for _, inputs in warm_up.read(model_folder("embedding"))]
    assert embed._CHUNK in counts
    assert max(counts) <= batching_parameters.max_batch_size.value


def test_mtcnn_could_not_be_batched(model_folder):
    """Hence batching is switched on for the process of `embedding` alone."""
    loaded = tf.saved_model.load(str(model_folder("mtcnn")))
    _, inputs = loaded.signatures["serving_default"].structured_input_signature
    assert any(one.shape.rank == 0 for one in inputs.values())
