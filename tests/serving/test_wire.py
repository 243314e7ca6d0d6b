"""The server's light stubs are `tensorflow-serving-api`'s: same files, same fields, same bytes."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2,
    predict_pb2,
    prediction_service_pb2,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wire():
    """The server's stubs, in the process in which TensorFlow is imported, too."""
    return runpy.run_path(
        str(ROOT / "server/facewire_server/backends/tfserving/wire.py"),
        run_name="facewire_server.backends.tfserving.wire",
    )


@pytest.fixture(scope="module")
def kept(wire) -> FileDescriptorSet:
    return wire["descriptors"]()


PAIRS = {
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
}


def test_the_descriptors_are_the_installed_packages(kept):
    dump = runpy.run_path(str(ROOT / "tools/dump_serving_descriptors.py"))
    assert kept == dump["descriptors"](), "run tools/dump_serving_descriptors.py"


def described(message, seen=None):
    """Every message and enum reachable from one, with each field's name, number, type and label."""
    seen = {} if seen is None else seen
    if message.full_name in seen:
        return seen
    seen[message.full_name] = [
        (one.name, one.number, one.type, one.is_repeated, one.is_packed, one.json_name)
        + ((one.containing_oneof.name,) if one.containing_oneof else ())
        for one in message.fields
    ]
    for one in message.fields:
        if one.message_type:
            described(one.message_type, seen)
        if one.enum_type:
            values = [(value.name, value.number) for value in one.enum_type.values]
            seen[one.enum_type.full_name] = values
    return seen


@pytest.mark.parametrize("name", PAIRS)
def test_every_field_of_every_message_is_the_same(wire, name):
    ours, theirs = described(wire[name].DESCRIPTOR), described(PAIRS[name].DESCRIPTOR)
    assert ours == theirs
    assert ours


def test_the_methods_are_the_services(wire):
    services = {
        "Predict": prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"],
        "GetModelMetadata": prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"],
        "GetModelStatus": model_service_pb2.DESCRIPTOR.services_by_name["ModelService"],
    }
    paths = {wire[name] for name in ("PREDICT", "GET_MODEL_METADATA", "GET_MODEL_STATUS")}
    assert paths == {f"/{service.full_name}/{method}" for method, service in services.items()}
    for name, service in services.items():
        method = service.methods_by_name[name]
        assert method.input_type.full_name == wire[f"{name}Request"].DESCRIPTOR.full_name
        assert method.output_type.full_name == wire[f"{name}Response"].DESCRIPTOR.full_name


def filled(request):
    request.model_spec.name = "embedding"
    request.model_spec.version.value = 3
    request.model_spec.signature_name = "serving_default"
    request.output_filter.append("embeddings")
    faces = np.arange(2 * 3, dtype=np.uint8).reshape(1, 2, 3)
    tensor = request.inputs["faces"]
    tensor.dtype = tf.uint8.as_datatype_enum
    tensor.tensor_content = faces.tobytes()
    for size in faces.shape:
        tensor.tensor_shape.dim.add(size=size)
    request.inputs["min_face_px"].float_val.append(20.0)
    return request


@pytest.mark.parametrize("turned", [False, True])
def test_bytes_written_by_one_are_read_by_the_other(wire, turned):
    writer, reader = (wire["PredictRequest"], predict_pb2.PredictRequest)[:: -1 if turned else 1]
    data = filled(writer()).SerializeToString(deterministic=True)
    read = reader.FromString(data)
    assert read.SerializeToString(deterministic=True) == data
    assert str(read) == str(filled(reader()))
    np.testing.assert_array_equal(
        tf.make_ndarray(predict_pb2.PredictRequest.FromString(data).inputs["faces"]),
        np.arange(6, dtype=np.uint8).reshape(1, 2, 3),
    )


def test_types_are_tensorflows_numbers(wire):
    assert wire["DT_FLOAT"] == tf.float32.as_datatype_enum
    assert wire["DT_UINT8"] == tf.uint8.as_datatype_enum
