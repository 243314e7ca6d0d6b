"""The embedded engine: OpenVINO runs the SavedModels that TensorFlow Serving reads, in this process."""

import asyncio
import copy
import functools
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from numpy.typing import NDArray

from facewire_server.backends.compiled_file import CompiledFile
from facewire_server.backends.saved_model import OUTPUT, as_default
from facewire_server.errors import ModelUnavailable
from facewire_server.proof.signature import DEFAULT_SIGNATURE
from facewire_server.work.breadth import is_alone
from facewire_server.work.spent import Spent, spent_now

# The wheel depends on a reporter that sends an event over the network at every import. If it cannot be
# imported, OpenVINO uses its own stub, and nothing is sent.
# https://github.com/openvinotoolkit/openvino/pull/23832
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # None makes the import fail

import openvino as ov  # noqa: E402

__all__ = ["OpenVinoModel"]

_DEVICE: Final = "CPU"
_FLOAT32: Final = "f32"
_BFLOAT16: Final = "bf16"

_CACHED_PRIMITIVES = "100"
"""Compiled kernels that a model keeps for shapes it met before; OpenVINO's default, 5,000, is never reached in practice, so its
memory grows with every new size of a canvas. Measured over 200 canvases of ever other sizes, real pictures: 713 MB and growing with
the default, 537 and flat with 100; the time of a prediction is the same within 4 %, from 0 kept to 5,000."""


_MOST_SIDE_BY_SIDE: Final = 8
"""Predictions of a model at once. Chosen, not measured: each takes 17 MB for the detector, and with more processors a prediction has
several threads."""

_FASTER: Final = 0.8
"""Share of float32's time that bfloat16 may take at most, to be used. Measured for SFace, one crop on one thread: 0.40 with AMX, 1.3 with
avx512_bf16 and 3.9 with avx512 alone (both by ONEDNN_MAX_CPU_ISA on that processor), though OpenVINO lists BF16 for all three."""

_TIMINGS: Final = 5
"""Predictions timed of each of the two, of which the fastest counts. Chosen, not measured: together below 0.1 s."""


@functools.cache
def _core() -> ov.Core:
    """Returns the one `Core` of this process, which is kept to its end.

    A Core sets a stack for signals (for AMX) in the thread that first uses it, and unmaps it when it is freed. If the Cores of
    a thread are not freed last one first, or in another thread, that thread keeps an unmapped stack: its next signal, a Ctrl-C
    or a SIGTERM, ends the process by SIGSEGV. https://github.com/openvinotoolkit/openvino/pull/11894
    """
    return ov.Core()


class OpenVinoModel:
    """One SavedModel behind the `Model` port.

    It is compiled twice from one copy of its constants. A picture that is alone has all processors for each prediction. If several
    are in work, and for every frame of a stream, a prediction has one thread, and as many run side by side as there are
    processors: threads that share a prediction wait for each other in a loop that keeps the processor busy. A model that is
    called for one of the two only is compiled once. A network of few constants is not compiled at all if it was before: see
    `compiled_file`.

    float32 throughout, unless `in_bfloat16`: so the detection cascade finds other faces. Threads are not pinned
    to processors: pinned, the models of one host share the same few. Memory is bounded whatever the shapes of the
    inputs: few kernels are kept.

    Attributes:
        version: the number of the version folder.
    """

    def __init__(
        self,
        directory: Path,
        signature_name: str = DEFAULT_SIGNATURE,
        *,
        threads: int,
        is_for_frames: bool = False,
    ) -> None:
        """Reads and compiles the newest version of a servable.

        Args:
            directory: of the servable, with numbered version folders (TensorFlow Serving's layout).
            signature_name: which of its signatures is run.
            threads: processors that all predictions together may use.
            is_for_frames: it is called for frames of streams only.

        Raises:
            NoSuchSignature: the SavedModel lacks it.
            ModelUnavailable: there is no SavedModel, or OpenVINO cannot run it.
        """
        versions = [entry for entry in directory.glob("*") if entry.name.isdecimal()]
        if not versions:
            raise ModelUnavailable(
                f"there is no SavedModel in {directory}: run "
                f"`facewire-models --out {directory.parent} --only {directory.name}`"
            )
        newest = max(versions, key=lambda entry: int(entry.name))
        self.version = int(newest.name)
        self._saved_model, self._signature_name = newest, signature_name
        self._threads = threads
        try:
            self._side_by_side = self._alone = self._compiled(_FLOAT32, requests=threads)
            if threads > 1 and not is_for_frames:
                self._alone = self._compiled(_FLOAT32, requests=1)
        except (RuntimeError, OSError, ValueError) as error:
            raise ModelUnavailable(f"OpenVINO cannot run the SavedModel in {newest}") from error

    def in_bfloat16(self) -> "OpenVinoModel":
        """Returns the same network in bfloat16, for frames: one thread for each prediction.

        The two share the network's constants. Each must be closed.
        """
        other = copy.copy(self)
        other._side_by_side = other._alone = self._compiled(_BFLOAT16, requests=self._threads)
        return other

    def use_alone(self) -> None:
        """Predicts one at a time from now on, on all processors, and frees the memory of the other way.

        For a model that frames are not embedded by, before its first prediction.
        """
        if self._side_by_side is not self._alone:
            self._side_by_side.threads.shutdown()
            self._side_by_side = self._alone

    def is_faster_than(self, other: "OpenVinoModel", inputs: Mapping[str, NDArray]) -> bool:
        """Returns whether predictions with one thread take clearly less time than the other model's."""
        ours_s, theirs_s = [], []
        for _ in range(1 + _TIMINGS):  # the first one compiles kernels
            ours_s.append(self._side_by_side.timed_s(inputs))
            theirs_s.append(other._side_by_side.timed_s(inputs))
        return min(ours_s) <= _FASTER * min(theirs_s)

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Runs the model once; the arrays returned are the caller's own.

        Raises:
            ModelUnavailable: the inputs are not the model's, or OpenVINO fails.
        """
        compiled = self._alone if is_alone() else self._side_by_side
        return await asyncio.get_running_loop().run_in_executor(
            compiled.threads, compiled.infer, inputs, spent_now()
        )

    def close(self) -> None:
        """Waits for the predictions that have begun; later ones raise RuntimeError."""
        self._alone.threads.shutdown()
        self._side_by_side.threads.shutdown()

    def _compiled(self, precision: str, *, requests: int) -> "_Compiled":
        """Returns the network for a number of predictions side by side: as it was kept, or compiled now."""
        requests = min(requests, _MOST_SIDE_BY_SIDE)
        properties = {  # the reasons are in the class's docstring
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": self._threads,
            "NUM_STREAMS": requests,
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": _CACHED_PRIMITIVES,
        }
        can_do = _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
        facts = (ov.get_version(), self._signature_name, precision, *sorted(can_do))
        file = CompiledFile(self._saved_model, facts)
        if (kept := file.read()) is not None:
            with suppress(RuntimeError):  # OpenVINO refuses it
                return _Compiled(_core().import_model(kept, _DEVICE, properties), requests)
        compiled = _core().compile_model(self._network, _DEVICE, properties)
        if file.is_kept:
            file.keep(compiled.export_model().getvalue())
        return _Compiled(compiled, requests)

    @functools.cached_property
    def _network(self) -> ov.Model:
        with as_default(self._saved_model, self._signature_name) as folder:
            return _core().read_model(folder)


class _Compiled:
    """A network compiled for a number of predictions side by side.

    Attributes:
        threads: as many as run side by side, where `infer` is called.
    """

    def __init__(self, compiled: ov.CompiledModel, requests: int) -> None:
        self._inputs = {port.any_name for port in compiled.inputs}
        self._outputs = {
            port.any_name.removeprefix(OUTPUT): index for index, port in enumerate(compiled.outputs)
        }
        self._free: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(requests):
            self._free.put(compiled.create_infer_request())
        self.threads = ThreadPoolExecutor(requests, thread_name_prefix="model")

    def infer(self, inputs: Mapping[str, NDArray], spent: Spent) -> dict[str, NDArray]:
        """Runs the network once.

        Raises:
            ModelUnavailable: the inputs are not the model's, or OpenVINO fails.
        """
        if inputs.keys() != self._inputs:
            raise ModelUnavailable(f"the model takes {sorted(self._inputs)}, not {sorted(inputs)}")
        request = self._free.get()  # there is one for each thread
        began_s, processor_s = time.perf_counter(), time.process_time()
        try:
            request.infer(dict(inputs), share_inputs=True)
            return {
                name: request.get_output_tensor(index).data.copy()
                for name, index in self._outputs.items()
            }
        except RuntimeError as error:
            raise ModelUnavailable("the embedded engine failed") from error
        finally:
            self._free.put(request)
            # Without the wait for other predictions, nor for processors that other programs have: a stream whose frame had to wait
            # for these would be charged the work of dozens of frames. The work is done in threads of OpenVINO, so only bounds are known.
            took_s, processor_s = time.perf_counter() - began_s, time.process_time() - processor_s
            spent.add(min(took_s, processor_s))

    def timed_s(self, inputs: Mapping[str, NDArray]) -> float:
        """Returns the seconds of one prediction."""
        spent = Spent()
        self.infer(inputs, spent)
        return spent.total_s
