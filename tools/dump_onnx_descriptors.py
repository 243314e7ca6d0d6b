"""Writes the descriptors of ONNX's messages, as the `onnx` package has them.

    .venv-models/bin/python tools/dump_onnx_descriptors.py

`facewire_serving/onnx_file.py` reads the file and needs no `onnx`. Run it after a change of the package's
version; tests/serving/test_weights.py fails until then.
"""

from pathlib import Path

from onnx import onnx_ml_pb2

__all__ = ["TARGET"]

TARGET = Path(__file__).parents[1] / "serving/facewire_serving/onnx.binpb"
"""The file, beside the code that reads it."""

if __name__ == "__main__":
    TARGET.write_bytes(onnx_ml_pb2.DESCRIPTOR.serialized_pb)
