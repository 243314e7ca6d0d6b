"""Engines that run a SavedModel in the local model server: TensorFlow, or OpenVINO for comparisons."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["ENGINES", "InvalidInputError", "Run", "openvino", "tensorflow"]

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
    compiled = core.compile_model(core.read_model(directory), "CPU", settings)
    names = {port.any_name: index for index, port in enumerate(compiled.outputs)}
    request, one_at_a_time = compiled.create_infer_request(), threading.Lock()

    def run(signature: str, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        with one_at_a_time:  # OpenVINO reads `serving_default` only
            try:
                request.infer({name: np.asarray(one, order="C") for name, one in inputs.items()})
            except RuntimeError as error:
                raise InvalidInputError(str(error)) from error
            return {
                name: request.get_output_tensor(index).data.copy() for name, index in names.items()
            }

    return run


ENGINES: Final = {"tensorflow": tensorflow, "openvino": openvino}
"""By the name that the command line takes."""
