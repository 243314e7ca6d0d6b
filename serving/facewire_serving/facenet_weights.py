"""The constants of a FaceNet graph, calculated from the published frozen graph.

The batch normalizations of the convolutions are folded there already; the last one and the factors of the residual
blocks are folded here, with operations whose result IEEE 754 fixes, as in `embedding_weights`.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["constants"]

_SCOPE: Final = "InceptionResnetV1/"

_HEAD: Final = "Bottleneck"

_HEAD_EPSILON: Final = 1e-3
"""Epsilon of the last batch normalization, as in the published file."""

_Parameters = Mapping[str, NDArray[np.float32]]


def constants(parameters: _Parameters) -> dict[str, NDArray[np.float32]]:
    """Calculates the graph's constants.

    Args:
        parameters: the constants of the frozen graph, by the names of their nodes.

    Returns:
        By "<layer>/<part>": `kernel` (height, width, in, out) and `shift` (out,) of each convolution; "head/kernel"
        (1792, 512) and "head/shift" (512,).
    """
    suffix = "/weights"
    layers = [
        name.removeprefix(_SCOPE).removesuffix(suffix)
        for name in parameters
        if name.endswith(suffix)
    ]
    found = _head(parameters)
    for layer in layers:
        if layer != _HEAD:
            found |= _convolution(parameters, layer)
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def _convolution(parameters: _Parameters, layer: str) -> dict[str, NDArray]:
    kernel = parameters[f"{_SCOPE}{layer}/weights"].astype(np.float64)
    folded = f"{_SCOPE}{layer}/Conv2D_bn_offset"
    if folded in parameters:
        return {f"{layer}/kernel": kernel, f"{layer}/shift": parameters[folded]}
    # The last layer of a residual block.
    factor = parameters[f"{_SCOPE}{layer.rpartition('/')[0]}/mul/x"].astype(np.float64)
    shift = parameters[f"{_SCOPE}{layer}/biases"] * factor
    return {f"{layer}/kernel": kernel * factor, f"{layer}/shift": shift}


def _head(parameters: _Parameters) -> dict[str, NDArray]:
    """A dense layer without a bias, and a batch normalization without a scale of its own: two linear steps, so one."""
    mean, variance, shift = (
        parameters[f"{_SCOPE}{_HEAD}/BatchNorm/{part}"].astype(np.float64)
        for part in ("moving_mean", "moving_variance", "beta")
    )
    scale = 1 / np.sqrt(variance + _HEAD_EPSILON)
    kernel = parameters[f"{_SCOPE}{_HEAD}/weights"].astype(np.float64) * scale
    return {"head/kernel": kernel, "head/shift": shift - mean * scale}
