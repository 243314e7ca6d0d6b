"""The embedded engine: the SavedModels that TF Serving reads, run in this process by OpenVINO."""

import asyncio
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable

# The wheel brings a reporter that tells its maker, over the network, of every import. With the
# reporter kept from loading, OpenVINO uses its own stub, and nobody is told who runs this server.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # None is how Python spells it

import openvino as ov  # noqa: E402

__all__ = ["OpenVinoModel"]


class OpenVinoModel:
    """One SavedModel behind the `Model` port.

    float32 throughout: in bfloat16 the detection cascade finds other faces. The processors are not
    pinned: pinned, the models of one host crowd onto the same ones.
    """

    def __init__(self, directory: Path, *, threads: int, requests: int = 1) -> None:
        """Reads and compiles the newest version of a servable.

        Args:
            directory: of the servable, with numbered version folders (TF Serving's layout).
            threads: processors that all requests together may use.
            requests: predictions that may run at the same time, each on `threads` / `requests`.

        Raises:
            ModelUnavailable: there is no SavedModel, or OpenVINO cannot run it.
        """
        versions = [entry for entry in directory.glob("*") if entry.name.isdecimal()]
        if not versions:
            raise ModelUnavailable(f"there is no SavedModel in {directory}: run `make models`")
        newest = max(versions, key=lambda entry: int(entry.name))
        try:
            core = ov.Core()
            self._compiled = core.compile_model(
                core.read_model(newest),
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": "f32",
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": requests,
                    "ENABLE_CPU_PINNING": False,
                },
            )
        except RuntimeError as error:
            raise ModelUnavailable(f"OpenVINO cannot run the SavedModel in {newest}") from error
        self._inputs = {port.any_name: port for port in self._compiled.inputs}
        self._outputs = {port.any_name: index for index, port in enumerate(self._compiled.outputs)}
        self._threads = ThreadPoolExecutor(requests, thread_name_prefix=directory.name)
        self._local = threading.local()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once; the arrays answered are the caller's own.

        Raises:
            ModelUnavailable: inputs or outputs are not what the model has.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._infer, inputs)

    def _infer(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        if inputs.keys() != self._inputs.keys():
            raise ModelUnavailable(
                f"the model takes {sorted(self._inputs)}, and was given {sorted(inputs)}"
            )
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        try:
            request.infer(dict(inputs), share_inputs=True)
        except RuntimeError as error:
            raise ModelUnavailable("the embedded engine failed") from error
        return {
            name: request.get_output_tensor(index).data.copy()
            for name, index in self._outputs.items()
        }

    def close(self) -> None:
        """Waits for predictions under way, and takes no more."""
        self._threads.shutdown()
