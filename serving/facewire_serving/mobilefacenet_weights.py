"""The constants of the MobileFaceNet graph, calculated from the published parameters of `w600k_mbf`.

The batch normalizations of the convolutions are folded there already; the last one is folded here, with operations whose
result IEEE 754 fixes, as in `embedding_weights`. The published file numbers its constants in the order of the layers.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCKS", "constants"]

BLOCKS: Final = (False, *(True,) * 4, False, *(True,) * 6, False, *(True,) * 2)
"""The blocks of three layers, in order: whether the block adds its input to its output, or halves the size."""

_FIRST_KERNEL: Final = 518
"""Name of the first kernel; its shift has the next number, and the next layer's kernel is three numbers on."""

_FIRST_SLOPE: Final = 664

_HEAD_EPSILON: Final = 1e-5
"""Epsilon of the last batch normalization, as in the published file."""

_LAST_MAP: Final = (64, 7, 7)
"""Channels, height and width of the last feature map, in the order in which the dense layer reads them."""

_Parameters = Mapping[str, NDArray[np.float32]]


def constants(parameters: _Parameters) -> dict[str, NDArray[np.float32]]:
    """Calculates the graph's constants.

    Args:
        parameters: the constants of `w600k_mbf.onnx`, by name.

    Returns:
        By "<layer>/<part>": `kernel` (height, width, in, out; depthwise: height, width, in, 1), `shift` (out,) and, of a
        layer that a PReLU follows, `minus_slope` (out,). The second layer has groups of two channels: "grouped/kernel" is for
        the channel itself, "grouped/other" for the other one of its group, both depthwise. "head/kernel" (7 * 7 * 64, 512) is
        for features in the order y, x, channel.
    """
    found = _head(parameters)
    slope = _FIRST_SLOPE
    for index, name in enumerate(_layers()):
        number = _FIRST_KERNEL + 3 * index
        kernel = parameters[str(number)]
        found[f"{name}/shift"] = parameters[str(number + 1)]
        if name == "grouped":
            rows = np.arange(len(kernel))
            found["grouped/kernel"] = _depthwise(kernel[rows, rows % 2])
            found["grouped/other"] = _depthwise(kernel[rows, 1 - rows % 2])
        elif name.endswith("/depthwise"):
            found[f"{name}/kernel"] = _depthwise(kernel[:, 0])
        else:
            found[f"{name}/kernel"] = kernel.transpose(2, 3, 1, 0)
        if not name.endswith("/project"):
            found[f"{name}/minus_slope"] = -parameters[str(slope)].reshape(-1)
            slope += 1
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def _layers() -> Iterator[str]:
    """Yields the names of the convolutions, in the order of the published file."""
    yield from ("stem", "grouped")
    for block in range(len(BLOCKS)):
        yield from (f"{block}/expand", f"{block}/depthwise", f"{block}/project")
    yield from ("expand", "reduce")


def _depthwise(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """(channels, height, width) to (height, width, channels, 1)."""
    return kernel.transpose(1, 2, 0)[..., None]


def _head(parameters: _Parameters) -> dict[str, NDArray]:
    """A dense layer and a batch normalization: two linear steps, so one."""
    weight, shift, mean, variance = (
        parameters[f"features.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / np.sqrt(variance + _HEAD_EPSILON)
    dense = parameters["fc.weight"].astype(np.float64) * scale[:, None]
    kernel = dense.reshape(-1, *_LAST_MAP).transpose(2, 3, 1, 0)
    return {
        "head/kernel": kernel.reshape(math.prod(_LAST_MAP), -1),
        "head/shift": (parameters["fc.bias"] - mean) * scale + shift,
    }
