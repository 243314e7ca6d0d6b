"""The files that TensorFlow Serving is started with are what it reads: text forms of its messages."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pool, message_factory, text_format, wrappers_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from tensorflow_serving.config import model_server_config_pb2

from facewire_server.pipeline import embed

SERVING = Path(__file__).parents[2] / "serving"
NAMES = ("mtcnn", "embedding")


@pytest.fixture(scope="module")
def batching_parameters():
    """`BatchingParameters` of TensorFlow Serving's session_bundle_config.proto, which no package has."""
    file = FileDescriptorProto(
        name="session_bundle_config.proto",
        package="written_in_test",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    wrapped = {
        "max_batch_size": "Int64Value",
        "batch_timeout_micros": "Int64Value",
        "max_enqueued_batches": "Int64Value",
        "num_batch_threads": "Int64Value",
        "thread_pool_name": "StringValue",
    }
    optional, repeated = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    for number, (name, kind) in enumerate(wrapped.items(), start=1):
        message.field.add(
            name=name,
            number=number,
            label=optional,
            type=FieldDescriptorProto.TYPE_MESSAGE,
            type_name=f".google.protobuf.{kind}",
        )
    sizes = {"name": "allowed_batch_sizes", "type": FieldDescriptorProto.TYPE_INT64}
    padded = {"name": "pad_variable_length_inputs", "type": FieldDescriptorProto.TYPE_BOOL}
    message.field.add(number=6, label=repeated, **sizes)
    message.field.add(number=7, label=optional, **padded)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"{file.package}.{message.name}")
    )


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


def test_a_batch_takes_the_faces_of_several_predictions_of_the_server(batching_parameters):
    config = text_format.Parse((SERVING / "batching.config").read_text(), batching_parameters())
    assert config.max_batch_size.value >= 2 * embed._CHUNK
    assert 0 < config.batch_timeout_micros.value <= 10_000
    assert config.num_batch_threads.value > 0
    assert config.max_enqueued_batches.value >= config.num_batch_threads.value
