"""Engines that run a SavedModel in the local model server: TensorFlow, or OpenVINO for comparisons."""

import copy
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import saved_model_pb2

__all__ = ["ENGINES", "InvalidInputError", "Run", "openvino", "tensorflow"]

_OUTPUT: Final = "output/"

Run = Callable[[str, Mapping[str, NDArray]], dict[str, NDArray]]
"""Runs a signature of a loaded model once, by its name; may be called by several threads."""


class InvalidInputError(Exception):
    """The engine did not take the inputs; the text is its own."""


def tensorflow(directory: Path) -> Run:
    """Loads a SavedModel in TensorFlow, as TensorFlow Serving does.

    Raises:
        OSError: there is no SavedModel.
    """
    loaded = tf.saved_model.load(str(directory))

    def run(signature: str, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        try:
            outputs = loaded.signatures[signature](**tensors)
        except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
            raise InvalidInputError(str(error)) from error
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return run


def openvino(directory: Path) -> Run:
    """Loads a SavedModel in OpenVINO, with the settings of the server's embedded engine.

    Raises:
        RuntimeError: OpenVINO cannot read it.
    """
    import openvino as ov

    core = ov.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": len(os.sched_getaffinity(0)),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
        "CPU_RUNTIME_CACHE_CAPACITY": "100",
    }
    requests, one_at_a_time = {}, threading.Lock()
    with tempfile.TemporaryDirectory() as copies:
        for name, folder in _one_signature_each(directory, Path(copies)):
            compiled = core.compile_model(core.read_model(folder), "CPU", settings)
            requests[name] = compiled.create_infer_request()
    ports = {name: request.get_compiled_model().outputs for name, request in requests.items()}

    def run(signature: str, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        request = requests[signature]
        with one_at_a_time:
            try:
                request.infer({name: np.asarray(one, order="C") for name, one in inputs.items()})
            except RuntimeError as error:
                raise InvalidInputError(str(error)) from error
            return {
                port.any_name.removeprefix(_OUTPUT): request.get_tensor(port).data.copy()
                for port in ports[signature]
            }

    return run


def _one_signature_each(directory: Path, copies: Path) -> Iterator[tuple[str, Path]]:
    """Writes the SavedModel once for each signature, with that one as the default: OpenVINO reads no other."""
    saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    signatures = saved.meta_graphs[0].signature_def
    default = signatures["serving_default"]
    for name, signature in copy.deepcopy(dict(signatures)).items():
        if not signature.inputs:  # TensorFlow's own, which initializes variables
            continue
        default.CopyFrom(signature)
        default.outputs.clear()
        for (
            output,
            tensor,
        ) in signature.outputs.items():  # or `boxes`, an input too, becomes `boxes_1`
            default.outputs[_OUTPUT + output].CopyFrom(tensor)
        folder = copies / name
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
        yield name, folder


ENGINES: Final = {"tensorflow": tensorflow, "openvino": openvino}
"""By the name that the command line takes."""
