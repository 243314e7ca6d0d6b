"""The constants of the `mtcnn` graph, calculated from the published parameters of the three networks.

All float32, and each result is exact or one subtraction, so every machine gets the same bytes;
`graph.py` checks that by a hash.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAYERS", "constants"]

LAYERS: Final[Mapping[str, int]] = {"pnet": 3, "rnet": 4, "onet": 5}
"""Layers of each network before its heads."""

_Arrays = Sequence[NDArray[np.float32]]


def constants(parameters: Mapping[str, _Arrays]) -> dict[str, NDArray[np.float32]]:
    """Calculates the graph's constants.

    Args:
        parameters: what `weights.mtcnn_parameters` returns.

    Returns:
        By "<network>/<layer number>/<part>": `kernel` (height, width, in, out; of P-Net width,
        height, in, out), `bias` (out,), `slope` (out,); and "<network>/head/kernel", "…/bias":
        box offsets, landmarks (O-Net only) and the face logit side by side.
    """
    found = {}
    for network, count in LAYERS.items():
        arrays = list(parameters[network])
        if network == "pnet":
            arrays = [_sideways(array) for array in arrays]
        channels = 3
        for layer in range(count):
            kernel, bias, slope = arrays[3 * layer : 3 * layer + 3]
            if kernel.ndim == 2:
                kernel = _dense_as_convolution(kernel, channels)
            channels = len(bias)
            found[f"{network}/{layer}/kernel"] = kernel
            found[f"{network}/{layer}/bias"] = bias
            found[f"{network}/{layer}/slope"] = slope.reshape(-1)
        kernel, bias = _joined_heads(arrays[3 * count :])
        found |= {f"{network}/head/kernel": kernel, f"{network}/head/bias": bias}
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def _sideways(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A kernel for pictures indexed [x, y]; other arrays as they are."""
    return array.transpose(1, 0, 2, 3) if array.ndim == 4 else array


def _dense_as_convolution(kernel: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """The dense layer over a k x k map, whose rows are ordered x, y, channel, as a convolution."""
    side = round((kernel.shape[0] / channels) ** 0.5)
    return kernel.reshape(side, side, channels, -1).transpose(1, 0, 2, 3)


def _joined_heads(heads: _Arrays) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Joins [kernel, bias] pairs; the last pair, the softmax of (other, face), becomes one logit."""
    kernels = [kernel.reshape(1, 1, *kernel.shape[-2:]) for kernel in heads[0::2]]
    biases = list(heads[1::2])
    kernels[-1] = kernels[-1][..., 1:] - kernels[-1][..., :1]
    biases[-1] = biases[-1][1:] - biases[-1][:1]
    return np.concatenate(kernels, axis=-1), np.concatenate(biases)
