"""Reads a `batching.config` as TensorFlow Serving does, and refuses what it would refuse.

A wrong file ends that program at its start, or when the first model is loaded, far from whoever wrote it.

Sources, read in copies of TensorFlow Serving of 2023 and of TensorFlow 2.19: `BatchingParameters` in
tensorflow_serving/servables/tensorflow/session_bundle_config.proto, which no package on PyPI has; what is refused in
tensorflow_serving/batching/batching_session.cc and tensorflow/core/kernels/batching_util/shared_batch_scheduler.h.
"""

from typing import Any, Final

from google.protobuf import text_format, wrappers_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

__all__ = ["read"]

_WRAPPED: Final = {
    "max_batch_size": (1, "Int64Value"),
    "batch_timeout_micros": (2, "Int64Value"),
    "max_enqueued_batches": (3, "Int64Value"),
    "num_batch_threads": (4, "Int64Value"),
    "thread_pool_name": (5, "StringValue"),
    "enable_large_batch_splitting": (8, "BoolValue"),
    "max_execution_batch_size": (9, "Int64Value"),
}
"""Number and type of the fields that are messages of google/protobuf/wrappers.proto: written `name { value: 1 }`."""

_PLAIN: Final = {
    "allowed_batch_sizes": (
        6,
        FieldDescriptorProto.TYPE_INT64,
        FieldDescriptorProto.LABEL_REPEATED,
    ),
    "pad_variable_length_inputs": (
        7,
        FieldDescriptorProto.TYPE_BOOL,
        FieldDescriptorProto.LABEL_OPTIONAL,
    ),
}
"""Number, type and label of the other fields."""

_LEAST: Final = {
    "max_batch_size": 1,
    "batch_timeout_micros": 0,
    "max_enqueued_batches": 0,
    "num_batch_threads": 1,
    "max_execution_batch_size": 1,
}
"""Smallest value that the scheduler takes, of each number."""

_LARGEST: Final = 1000
"""Largest batch, in inputs, if the file does not say it: the default of the scheduler."""


def _message_class() -> Any:
    """The class of `BatchingParameters`, in a pool of its own."""
    file = FileDescriptorProto(
        name="session_bundle_config.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    for name, (number, wrapper) in _WRAPPED.items():
        message.field.add(
            name=name,
            number=number,
            label=FieldDescriptorProto.LABEL_OPTIONAL,
            type=FieldDescriptorProto.TYPE_MESSAGE,
            type_name=f".google.protobuf.{wrapper}",
        )
    for name, (number, kind, label) in _PLAIN.items():
        message.field.add(name=name, number=number, label=label, type=kind)
    pool = DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.BatchingParameters"))


_BatchingParameters: Final = _message_class()


def read(text: str) -> Any:
    """Reads the text form of a `BatchingParameters`, the file of `--batching_parameters_file`.

    Returns:
        The message.

    Raises:
        ValueError: it is not one, or TensorFlow Serving refuses its numbers.
    """
    try:
        parameters = text_format.Parse(text, _BatchingParameters())
    except text_format.ParseError as error:
        raise ValueError(f"not the text of a BatchingParameters: {error}") from None
    for name, least in _LEAST.items():
        value = getattr(parameters, name).value
        if parameters.HasField(name) and value < least:
            raise ValueError(f"{name} is {value}: at least {least}")
    _check_sizes(parameters)
    return parameters


def _check_sizes(parameters: Any) -> None:
    """Checks the sizes that batches are padded to, and the largest ones against each other."""

    def largest(name: str) -> int:
        return getattr(parameters, name).value if parameters.HasField(name) else _LARGEST

    name = "max_batch_size"
    if parameters.enable_large_batch_splitting.value:
        name = "max_execution_batch_size"
        if largest(name) > largest("max_batch_size"):
            raise ValueError(f"{name} is {largest(name)}, above max_batch_size")
    sizes = list(parameters.allowed_batch_sizes)
    if sizes != sorted(set(sizes)):
        raise ValueError(f"allowed_batch_sizes do not rise: {sizes}")
    if sizes and sizes[-1] != largest(name):
        raise ValueError(
            f"the last of allowed_batch_sizes is {sizes[-1]}; {name} is {largest(name)}"
        )
