"""Makes any signature of a SavedModel the default one, since OpenVINO reads `serving_default` and no other.

Its TensorFlow frontend looks for this one name (https://github.com/openvinotoolkit/openvino/pull/24153). So the file is
written again, with the wanted signature under that name. Of two tensors of one name, an input and an output, OpenVINO names
the output otherwise (`boxes` becomes `boxes_1`), so outputs get names of their own in the copy.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from facewire_server.errors import ModelUnavailable

__all__ = ["OUTPUT", "NoSuchSignature", "as_default"]

OUTPUT: Final = "output/"
"""What the names of outputs begin with in a copy."""

_DEFAULT: Final = "serving_default"
_FILE: Final = "saved_model.pb"

_MESSAGES: Final = """
    name: "facewire/saved_model.proto" package: "facewire.saved_model" syntax: "proto3"
    message_type {
        name: "SavedModel"
        field {
            name: "meta_graphs" number: 2 label: LABEL_REPEATED
            type: TYPE_MESSAGE type_name: ".facewire.saved_model.MetaGraph"
        }
    }
    message_type {
        name: "MetaGraph"
        field {
            name: "signatures" number: 5 label: LABEL_REPEATED
            type: TYPE_MESSAGE type_name: ".facewire.saved_model.MetaGraph.SignaturesEntry"
        }
        nested_type {
            name: "SignaturesEntry" options { map_entry: true }
            field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
            field {
                name: "value" number: 2 label: LABEL_OPTIONAL
                type: TYPE_MESSAGE type_name: ".facewire.saved_model.Signature"
            }
        }
    }
    message_type {
        name: "Signature"
        field {
            name: "outputs" number: 2 label: LABEL_REPEATED
            type: TYPE_MESSAGE type_name: ".facewire.saved_model.Signature.OutputsEntry"
        }
        nested_type {
            name: "OutputsEntry" options { map_entry: true }
            field { name: "key" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING }
            field { name: "value" number: 2 label: LABEL_OPTIONAL type: TYPE_BYTES }
        }
    }
"""
"""What is changed of TensorFlow's SavedModel (core/protobuf/saved_model.proto, meta_graph.proto). Fields that are not named
here are kept as they are; a tensor's description is a message there, which is bytes on the wire."""


class NoSuchSignature(ModelUnavailable):
    """The SavedModel lacks the signature; the text names those that it has."""


@contextmanager
def as_default(folder: Path, signature_name: str) -> Iterator[Path]:
    """Yields a folder with the SavedModel, of which this signature is the default one.

    It is the folder itself if the signature is the default one already; else a temporary one, with the graph alone: a
    model whose weights are variables, not constants, cannot be read from it.

    Raises:
        NoSuchSignature: there is none of this name.
        OSError: the SavedModel cannot be read, or the copy of it cannot be written.
        ValueError: it is no SavedModel.
    """
    if signature_name == _DEFAULT:
        yield folder
        return
    try:
        saved = _SavedModel.FromString((folder / _FILE).read_bytes())
    except DecodeError as error:
        raise ValueError(f"{folder / _FILE} is no SavedModel") from error
    graphs = [graph for graph in saved.meta_graphs if signature_name in graph.signatures]
    if not graphs:
        found = sorted({name for graph in saved.meta_graphs for name in graph.signatures})
        raise NoSuchSignature(
            f"the SavedModel in {folder} has no signature {signature_name!r}, found {found}"
        )
    for graph in graphs:
        wanted, default = graph.signatures[signature_name], graph.signatures[_DEFAULT]
        default.CopyFrom(wanted)
        default.outputs.clear()
        for name, tensor in wanted.outputs.items():
            default.outputs[OUTPUT + name] = tensor
    with tempfile.TemporaryDirectory(prefix="facewire-") as copy:
        (Path(copy) / _FILE).write_bytes(saved.SerializeToString())
        yield Path(copy)


def _message() -> Any:
    """Makes the class of the message at run time; a type checker knows none of its fields."""
    file = text_format.Parse(_MESSAGES, FileDescriptorProto())
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.SavedModel"))


_SavedModel: Final = _message()
