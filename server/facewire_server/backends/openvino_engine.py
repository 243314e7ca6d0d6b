"""The embedded engine: OpenVINO runs the SavedModels that TensorFlow Serving reads, in this process."""

import asyncio
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.proof.signature import DEFAULT_SIGNATURE
from facewire_server.work.spent import Spent, spent_now

# The wheel depends on a reporter that sends an event over the network at every import. If it cannot be
# imported, OpenVINO uses its own stub, and nothing is sent.
# https://github.com/openvinotoolkit/openvino/pull/23832
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # None makes the import fail

import openvino as ov  # noqa: E402

__all__ = ["OpenVinoModel"]

_CACHED_PRIMITIVES = "100"
"""Compiled kernels that a model keeps for shapes it met before; OpenVINO's default, 5,000, is never reached in practice, so its
memory grows with every new size of a canvas. Measured over 200 canvases of ever other sizes, real pictures: 713 MB and growing with
the default, 537 and flat with 100; the time of a prediction is the same within 4 %, from 0 kept to 5,000."""


class OpenVinoModel:
    """One SavedModel behind the `Model` port.

    float32 throughout: in bfloat16 the detection cascade finds other faces. Threads are not pinned
    to processors: pinned, the models of one host share the same few. Memory is bounded whatever the shapes of the
    inputs: few kernels are kept.

    Attributes:
        version: the number of the version folder.
    """

    def __init__(
        self, directory: Path, signature_name: str = DEFAULT_SIGNATURE, *, threads: int
    ) -> None:
        """Reads and compiles the newest version of a servable.

        Args:
            directory: of the servable, with numbered version folders (TensorFlow Serving's layout).
            signature_name: OpenVINO reads the default signature of a SavedModel, and no other
                (https://github.com/openvinotoolkit/openvino/pull/24153).
            threads: processors that a prediction may use; predictions run one at a time.

        Raises:
            ModelUnavailable: there is no SavedModel, or OpenVINO cannot run it.
        """
        if signature_name != DEFAULT_SIGNATURE:
            raise ModelUnavailable(
                f"the embedded engine cannot run the signature {signature_name!r} of "
                f"{directory.name!r}: set the address of a TensorFlow Serving"
            )
        versions = [entry for entry in directory.glob("*") if entry.name.isdecimal()]
        if not versions:
            raise ModelUnavailable(
                f"there is no SavedModel in {directory}: run `facewire-models --out {directory.parent}`"
            )
        newest = max(versions, key=lambda entry: int(entry.name))
        self.version = int(newest.name)
        try:
            core = ov.Core()
            compiled = core.compile_model(
                core.read_model(newest),
                "CPU",
                {  # the reasons are in the class's docstring
                    "INFERENCE_PRECISION_HINT": "f32",
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": 1,
                    "ENABLE_CPU_PINNING": False,
                    "CPU_RUNTIME_CACHE_CAPACITY": _CACHED_PRIMITIVES,
                },
            )
        except RuntimeError as error:
            raise ModelUnavailable(f"OpenVINO cannot run the SavedModel in {newest}") from error
        self._inputs = {port.any_name: port for port in compiled.inputs}
        self._outputs = {port.any_name: index for index, port in enumerate(compiled.outputs)}
        self._request = compiled.create_infer_request()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=directory.name)

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once; the arrays returned are the caller's own.

        Raises:
            ModelUnavailable: the inputs are not the model's, or OpenVINO fails.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._infer, inputs, spent_now()
        )

    def _infer(self, inputs: Mapping[str, NDArray], spent: Spent) -> dict[str, NDArray]:
        if inputs.keys() != self._inputs.keys():
            raise ModelUnavailable(f"the model takes {sorted(self._inputs)}, not {sorted(inputs)}")
        began_s = time.perf_counter()
        try:
            self._request.infer(dict(inputs), share_inputs=True)
        except RuntimeError as error:
            raise ModelUnavailable("the embedded engine failed") from error
        finally:
            spent.add(time.perf_counter() - began_s)  # without the wait for other predictions
        return {
            name: self._request.get_output_tensor(index).data.copy()
            for name, index in self._outputs.items()
        }

    def close(self) -> None:
        """Waits for the predictions that have begun; later ones raise RuntimeError."""
        self._thread.shutdown()
