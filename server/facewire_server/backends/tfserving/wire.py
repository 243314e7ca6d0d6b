"""TensorFlow Serving's messages, made from its own descriptors without TensorFlow.

`tensorflow-serving-api` imports TensorFlow: seconds and 600 MB for a few messages. Its descriptors lie
beside this file (`tools/dump_serving_descriptors.py` writes them, tests/serving/test_wire.py compares
them with the package). The classes live in a descriptor pool of their own, so a process may
import TensorFlow as well.
"""

from importlib import resources
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

__all__ = [
    "DT_FLOAT",
    "DT_UINT8",
    "GET_MODEL_METADATA",
    "GET_MODEL_STATUS",
    "PREDICT",
    "GetModelMetadataRequest",
    "GetModelMetadataResponse",
    "GetModelStatusRequest",
    "GetModelStatusResponse",
    "PredictRequest",
    "PredictResponse",
    "SignatureDefMap",
    "TensorProto",
    "descriptors",
]

PREDICT: Final = "/tensorflow.serving.PredictionService/Predict"
GET_MODEL_METADATA: Final = "/tensorflow.serving.PredictionService/GetModelMetadata"
GET_MODEL_STATUS: Final = "/tensorflow.serving.ModelService/GetModelStatus"

DT_FLOAT: Final = 1
DT_UINT8: Final = 4
"""Numbers of `tensorflow.DataType`, from tensorflow/core/framework/types.proto."""


def descriptors() -> FileDescriptorSet:
    """Returns the files of both services and all that they import, each after those that it imports."""
    data = resources.files(__package__).joinpath("wire.binpb").read_bytes()
    return FileDescriptorSet.FromString(data)


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    for file in descriptors().file:
        pool.Add(file)
    return pool


_POOL: Final = _pool()


def _message(name: str) -> Any:
    """Makes the class of a message at run time; a type checker knows none of its fields."""
    return GetMessageClass(_POOL.FindMessageTypeByName(name))


TensorProto: Final = _message("tensorflow.TensorProto")
PredictRequest: Final = _message("tensorflow.serving.PredictRequest")
PredictResponse: Final = _message("tensorflow.serving.PredictResponse")
GetModelMetadataRequest: Final = _message("tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse: Final = _message("tensorflow.serving.GetModelMetadataResponse")
GetModelStatusRequest: Final = _message("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse: Final = _message("tensorflow.serving.GetModelStatusResponse")
SignatureDefMap: Final = _message("tensorflow.serving.SignatureDefMap")
