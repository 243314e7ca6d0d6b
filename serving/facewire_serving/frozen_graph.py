"""Reads the constants of a frozen TensorFlow graph (`.pb`), without TensorFlow.

Of TensorFlow's messages (core/framework/graph.proto, node_def.proto, attr_value.proto, tensor.proto) only the fields that
hold a constant are described here; others are passed over.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from numpy.typing import NDArray

__all__ = ["constants"]

_FLOAT: Final = 1  # tensorflow.DataType.DT_FLOAT

_MESSAGES: Final = """
    name: "facewire/frozen_graph.proto" package: "facewire.frozen_graph" syntax: "proto3"
    message_type {
        name: "Graph"
        field {
            name: "node" number: 1 label: LABEL_REPEATED
            type: TYPE_MESSAGE type_name: ".facewire.frozen_graph.Node"
        }
    }
    message_type {
        name: "Node"
        field { name: "name" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
        field { name: "op" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING }
        field {
            name: "attr" number: 5 label: LABEL_REPEATED
            type: TYPE_MESSAGE type_name: ".facewire.frozen_graph.Node.AttrEntry"
        }
        nested_type {
            name: "AttrEntry" options { map_entry: true }
            field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
            field {
                name: "value" number: 2 label: LABEL_OPTIONAL
                type: TYPE_MESSAGE type_name: ".facewire.frozen_graph.Value"
            }
        }
    }
    message_type {
        name: "Value"
        field {
            name: "tensor" number: 8 label: LABEL_OPTIONAL
            type: TYPE_MESSAGE type_name: ".facewire.frozen_graph.Tensor"
        }
    }
    message_type {
        name: "Tensor"
        field { name: "dtype" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 }
        field {
            name: "shape" number: 2 label: LABEL_OPTIONAL
            type: TYPE_MESSAGE type_name: ".facewire.frozen_graph.Shape"
        }
        field { name: "content" number: 4 label: LABEL_OPTIONAL type: TYPE_BYTES }
        field { name: "float_val" number: 5 label: LABEL_REPEATED type: TYPE_FLOAT }
    }
    message_type {
        name: "Shape"
        field {
            name: "dim" number: 2 label: LABEL_REPEATED
            type: TYPE_MESSAGE type_name: ".facewire.frozen_graph.Dim"
        }
    }
    message_type {
        name: "Dim"
        field { name: "size" number: 1 label: LABEL_OPTIONAL type: TYPE_INT64 }
    }
"""


def constants(path: Path) -> dict[str, NDArray[np.float32]]:
    """Reads the float32 constants of a frozen graph, by the names of their nodes."""
    return {
        node.name: _array(node.attr["value"].tensor)
        for node in _Graph.FromString(path.read_bytes()).node
        if node.op == "Const" and node.attr["value"].tensor.dtype == _FLOAT
    }


def _array(tensor: Any) -> NDArray[np.float32]:
    shape = tuple(dim.size for dim in tensor.shape.dim)
    if tensor.content:
        return np.frombuffer(tensor.content, "<f4").reshape(shape)
    # TensorFlow writes a tensor of equal numbers as this one number.
    return np.broadcast_to(np.array(tensor.float_val, np.float32), shape or (1,))


def _message() -> Any:
    """Makes the class of the message at run time; a type checker knows none of its fields."""
    file = text_format.Parse(_MESSAGES, FileDescriptorProto())
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.Graph"))


_Graph: Final = _message()
