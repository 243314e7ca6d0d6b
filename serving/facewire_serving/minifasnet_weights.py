"""The constants of the `presentation_attack` graph, taken from the published TensorFlow Lite file of MiniFASNetV2.

The batch normalizations are folded there already. The file takes pictures in BGR; here the first kernel is turned round, for RGB.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_serving.tflite_file import Operator, OperatorCode

__all__ = ["BLOCKS", "constants"]

BLOCKS: Final = (False, *(True,) * 4, False, *(True,) * 6, False, *(True,) * 2)
"""The blocks of three layers, in order: whether the block adds its input to its output, or halves the size."""

_NEVER_FOLLOWED: Final = ("/project", "pool", "features", "logits")
"""How the names of layers end that no PReLU follows."""


def constants(operators: Sequence[Operator]) -> dict[str, NDArray[np.float32]]:
    """Names the graph's constants.

    Args:
        operators: of the published file.

    Returns:
        By "<layer>/<part>": `kernel` (height, width, in, out; depthwise: height, width, in, 1; dense: in, out), `shift` (out,) and, of a
        layer that a PReLU follows, `minus_slope` (out,).

    Raises:
        ValueError: the file has other layers than MiniFASNetV2.
    """
    kernels = [one for one in operators if one.code in _KERNELS]
    slopes = iter([one.constants[0] for one in operators if one.code == OperatorCode.MUL])
    found: dict[str, NDArray[np.float32]] = {}
    for name, layer in zip(_layers(), kernels, strict=True):
        kernel, *shift = layer.constants
        found[f"{name}/kernel"] = kernel.transpose(_KERNELS[layer.code])
        if shift:
            (found[f"{name}/shift"],) = shift
        if not name.endswith(_NEVER_FOLLOWED):
            found[f"{name}/minus_slope"] = -_of_channels(next(slopes))
    found["stem/kernel"] = found["stem/kernel"][:, :, ::-1]
    return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


_KERNELS: Final[dict[int, tuple[int, ...]]] = {
    OperatorCode.CONV_2D: (1, 2, 3, 0),
    OperatorCode.DEPTHWISE_CONV_2D: (1, 2, 3, 0),
    OperatorCode.FULLY_CONNECTED: (1, 0),
}
"""Operators that are layers, and the order of the axes of their kernels."""


def _layers() -> Iterator[str]:
    """Yields the names of the layers, in the order of the published file."""
    yield from ("stem", "depthwise")
    for block in range(len(BLOCKS)):
        yield from (f"{block}/expand", f"{block}/depthwise", f"{block}/project")
    yield from ("expand", "pool", "features", "logits")


def _of_channels(slopes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(1, height, width, channels) to (channels,): the converter has repeated a slope for every cell."""
    first: NDArray[np.float32] = slopes[0, 0, 0]
    if (slopes != first).any():
        raise ValueError("a PReLU has different slopes in one channel")
    return first
