"""The constants of the `embedding` graph, calculated from the published parameters of SFace.

Batch normalizations are folded into the layer before them, in float64. Only operations are used whose result
IEEE 754 fixes (no matrix product: its order of addition depends on the processor), so every machine gets the
same bytes; `graph.py` checks that by a hash.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCKS", "constants"]

BLOCKS: Final = range(2, 15)
"""Numbers of the separable blocks (a depthwise and a pointwise convolution) in the published file."""

_TRUNK_EPSILON: Final = 1e-3
"""Epsilon of the trunk's batch normalizations, as in the published file."""

_HEAD_EPSILON: Final = 2e-5
"""Epsilon of the two batch normalizations of the head, as in the published file."""

_MAP_CELLS: Final = 7 * 7
"""Cells of the last feature map."""

_Parameters = Mapping[str, NDArray[np.float32]]


def constants(parameters: _Parameters) -> dict[str, NDArray[np.float32]]:
    """Calculates the graph's constants.

    Args:
        parameters: the constants of `face_recognition_sface_2021dec.onnx`, by name.

    Returns:
        By "<layer>/<part>": `kernel` (height, width, in, out; depthwise: height, width, in, 1),
        `shift` (out,) and `minus_slope` (out,) of each convolution; "head/kernel" (7 * 7 * 1024,
        128) for features in the order channel, y, x, and "head/shift" (128,).
    """
    found = _convolution(parameters, "conv_1")
    for block in BLOCKS:
        found |= _depthwise(parameters, f"conv_{block}_dw")
        found |= _convolution(parameters, f"conv_{block}")
    found |= _head(parameters)
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def _convolution(parameters: _Parameters, name: str) -> dict[str, NDArray]:
    scale, shift = _normalization(parameters, f"{name}_batchnorm", _TRUNK_EPSILON)
    kernel = parameters[f"{name}_conv2d_weight"].transpose(2, 3, 1, 0) * scale
    return {f"{name}/kernel": kernel, f"{name}/shift": shift, **_slopes(parameters, name)}


def _depthwise(parameters: _Parameters, name: str) -> dict[str, NDArray]:
    scale, shift = _normalization(parameters, f"{name}_batchnorm", _TRUNK_EPSILON)
    kernel = parameters[f"{name}_conv2d_weight"].transpose(2, 3, 0, 1) * scale[:, None]
    return {f"{name}/kernel": kernel, f"{name}/shift": shift, **_slopes(parameters, name)}


def _slopes(parameters: _Parameters, name: str) -> dict[str, NDArray]:
    return {f"{name}/minus_slope": -parameters[f"{name}_relu_gamma"].reshape(-1)}


def _head(parameters: _Parameters) -> dict[str, NDArray]:
    """Batch normalization, dense layer, batch normalization: three linear steps, so one."""
    scale_in, shift_in = _normalization(parameters, "bn1", _HEAD_EPSILON)
    scale_out, shift_out = _normalization(parameters, "fc1", _HEAD_EPSILON)
    # A row of the dense layer is one output; its inputs lie in the order channel, y, x.
    dense = parameters["pre_fc1_weight"].astype(np.float64)
    moved = dense * np.repeat(shift_in, _MAP_CELLS)
    bias = np.array([math.fsum(row.tolist()) for row in moved]) + parameters["pre_fc1_bias"]
    kernel = dense * np.repeat(scale_in, _MAP_CELLS) * scale_out[:, None]
    return {"head/kernel": kernel.T, "head/shift": bias * scale_out + shift_out}


def _normalization(
    parameters: _Parameters, name: str, epsilon: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A batch normalization as a scale and a shift for each channel."""
    gamma, beta, mean, variance = (
        parameters[f"{name}_{part}"].astype(np.float64)
        for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale
