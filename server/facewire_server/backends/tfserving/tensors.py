"""Converts numpy arrays to `tensorflow.TensorProto` and back, and reads signatures."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.tfserving import wire
from facewire_server.proof.signature import MOST_ROWS, Signature, TensorSpec

__all__ = ["from_message", "signature_of", "write"]

_DTYPES: Final = {wire.DT_FLOAT: "float32", wire.DT_UINT8: "uint8"}
_NUMBERS: Final = {name: number for number, name in _DTYPES.items()}
"""TensorFlow's numbers of the types that the servables use, with numpy's names, and the reverse."""


def write(array: NDArray, message: Any) -> None:
    """Writes an array into an empty `TensorProto`, as bytes: a list of numbers takes far longer.

    Args:
        array: float32 or uint8.
        message: the empty `TensorProto`.
    """
    message.dtype = _NUMBERS[array.dtype.name]
    message.tensor_content = array.tobytes()
    for size in array.shape:
        message.tensor_shape.dim.add(size=size)


def from_message(message: Any, expected: TensorSpec) -> NDArray[np.float32]:
    """Converts a float32 `TensorProto` to an array that shares no memory with it.

    TensorFlow Serving answers in `float_val` unless it was started with
    `--enable_serialization_as_tensor_content`.

    Args:
        message: the `TensorProto`.
        expected: its type and shape; a free length is at most `signature.MOST_ROWS`.

    Raises:
        ValueError: it has another type or shape, or more or fewer numbers than its shape.
    """
    shape = tuple(dimension.size for dimension in message.tensor_shape.dim)
    found = TensorSpec(_dtype(message.dtype), shape)
    # Checked before anything is allocated: one number and a large shape are a few bytes on the wire.
    if not expected.accepts(found) or not all(
        wanted is not None or 0 <= size <= MOST_ROWS
        for size, wanted in zip(shape, expected.shape, strict=True)
    ):
        raise ValueError(f"{found}, expected {expected}")
    if message.tensor_content:
        flat = np.frombuffer(message.tensor_content, "<f4").astype(np.float32)
    else:
        # np.array reads the field's buffer at once; other ways convert the numbers one by one.
        flat = np.array(message.float_val, np.float32)
        if 0 < flat.size < math.prod(shape):  # by definition the last one is repeated
            flat = np.pad(flat, (0, math.prod(shape) - flat.size), mode="edge")
    return flat.reshape(shape)


def signature_of(name: str, message: Any) -> Signature:
    """Converts a `SignatureDef` of this name."""
    return Signature(_specs(message.inputs), _specs(message.outputs), name)


def _specs(tensors: Any) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(
            _dtype(info.dtype),
            tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim),
        )
        for name, info in tensors.items()
    }


def _dtype(number: int) -> str:
    return _DTYPES.get(number, f"type {number}")
