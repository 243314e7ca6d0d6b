"""The embedded engine: the SavedModels that TF Serving reads, run in this process by OpenVINO."""

import asyncio
import sys
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

    def __init__(self, directory: Path, *, threads: int) -> None:
        """Reads and compiles the newest version of a servable.

        Args:
            directory: of the servable, with numbered version folders (TF Serving's layout).
            threads: processors that a prediction may use; there is one at a time.

        Raises:
            ModelUnavailable: there is no SavedModel, or OpenVINO cannot run it.
        """
        versions = [entry for entry in directory.glob("*") if entry.name.isdecimal()]
        if not versions:
            raise ModelUnavailable(f"there is no SavedModel in {directory}: run `make models`")
        newest = max(versions, key=lambda entry: int(entry.name))
        try:
            core = ov.Core()
            compiled = core.compile_model(
                core.read_model(newest),
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": "f32",
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": 1,
                    "ENABLE_CPU_PINNING": False,
                },
            )
        except RuntimeError as error:
            raise ModelUnavailable(f"OpenVINO cannot run the SavedModel in {newest}") from error
        self._inputs = {port.any_name: port for port in compiled.inputs}
        self._outputs = {port.any_name: index for index, port in enumerate(compiled.outputs)}
        self._request = compiled.create_infer_request()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=directory.name)

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once; the arrays answered are the caller's own.

        Raises:
            ModelUnavailable: inputs or outputs are not what the model has.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._infer, inputs)

    def _infer(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        if inputs.keys() != self._inputs.keys():
            raise ModelUnavailable(
                f"the model takes {sorted(self._inputs)}, and was given {sorted(inputs)}"
            )
        try:
            self._request.infer(dict(inputs), share_inputs=True)
        except RuntimeError as error:
            raise ModelUnavailable("the embedded engine failed") from error
        return {
            name: self._request.get_output_tensor(index).data.copy()
            for name, index in self._outputs.items()
        }

    def close(self) -> None:
        """Waits for predictions under way, and takes no more."""
        self._thread.shutdown()
