"""Writes the descriptors of TensorFlow Serving's two services, as `tensorflow-serving-api` has them.

    .venv-models/bin/python tools/dump_serving_descriptors.py

The server and grpcurl read the file; neither needs TensorFlow. Run it after a change of the
package's version; tests/serving/test_wire.py fails until then.
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

__all__ = ["TARGET", "descriptors"]

TARGET = Path(__file__).parents[1] / "server/facewire_server/backends/tfserving/wire.binpb"
"""The file, beside the code that reads it."""


def descriptors() -> FileDescriptorSet:
    """Returns the files of both services and all that they import, each after those that it imports."""
    files: dict[str, FileDescriptor] = {}

    def add(file: FileDescriptor) -> None:
        if file.name not in files:
            for needed in file.dependencies:
                add(needed)
            files[file.name] = file

    add(prediction_service_pb2.DESCRIPTOR)
    add(model_service_pb2.DESCRIPTOR)
    result = FileDescriptorSet()
    for file in files.values():
        result.file.add().ParseFromString(file.serialized_pb)
    return result


if __name__ == "__main__":
    TARGET.write_bytes(descriptors().SerializeToString(deterministic=True))
