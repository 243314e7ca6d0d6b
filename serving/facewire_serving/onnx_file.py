"""Reads the constants of an ONNX file, without the `onnx` package.

That package is 18 MB for one field of one message. Its descriptors lie beside this file
(`tools/dump_onnx_descriptors.py` writes them, tests/serving/test_weights.py compares them with the package); the
message classes are made from them in a separate descriptor pool.
"""

from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from numpy.typing import NDArray

__all__ = ["descriptor", "initializers"]

_FLOAT: Final = 1  # onnx.TensorProto.DataType.FLOAT


def descriptor() -> FileDescriptorProto:
    """The file `onnx-ml.proto`, as the `onnx` package has it."""
    data = resources.files(__package__).joinpath("onnx.binpb").read_bytes()
    return FileDescriptorProto.FromString(data)


def _model_class() -> Any:
    pool = DescriptorPool()
    pool.Add(descriptor())
    return GetMessageClass(pool.FindMessageTypeByName("onnx.ModelProto"))


_ModelProto: Final = _model_class()


def initializers(path: Path) -> dict[str, NDArray[np.float32]]:
    """Reads the float32 constants of an ONNX file, by name.

    Raises:
        ValueError: a constant is of another type.
    """
    return {tensor.name: _array(tensor) for tensor in _parsed(path).graph.initializer}


def _parsed(path: Path) -> Any:
    return _ModelProto.FromString(path.read_bytes())


def _array(tensor: Any) -> NDArray[np.float32]:
    if tensor.data_type != _FLOAT:
        raise ValueError(f"{tensor.name} is not float32 (ONNX data type {tensor.data_type})")
    # A writer may choose either field.
    flat = (
        np.frombuffer(tensor.raw_data, "<f4")
        if tensor.raw_data
        else np.array(tensor.float_data, np.float32)
    )
    return flat.reshape(tuple(tensor.dims))
