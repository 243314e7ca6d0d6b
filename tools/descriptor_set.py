"""Writes the contract as a descriptor set, which Envoy needs to translate JSON.

    .venv/bin/python tools/descriptor_set.py build/facewire.binpb

It is made from the stubs that the server itself runs with, so it needs no protoc and cannot differ from them. With it come
the details of errors (google/rpc): without them Envoy cannot write an error's body.
"""

import argparse
from pathlib import Path
from typing import Final

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

from facewire.v1 import gallery_pb2, recognition_pb2

__all__ = ["descriptor_set"]

_FILES: Final[tuple[FileDescriptor, ...]] = tuple(
    module.DESCRIPTOR for module in (recognition_pb2, gallery_pb2, status_pb2, error_details_pb2)
)


def descriptor_set() -> FileDescriptorSet:
    """Returns both services and the details of errors with all that they import, each file after its imports."""
    files = FileDescriptorSet()
    added: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for imported in file.dependencies:
            add(imported)
        file.CopyToProto(files.file.add())

    for file in _FILES:
        add(file)
    return files


if __name__ == "__main__":
    flags = argparse.ArgumentParser("tools/descriptor_set.py", description=__doc__)
    flags.add_argument("path", type=Path, help="file to write")
    path = flags.parse_args().path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(descriptor_set().SerializeToString(deterministic=True))
