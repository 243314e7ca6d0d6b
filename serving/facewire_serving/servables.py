"""The table of the servables: the weights of each, and the constants that are made from them.

No TensorFlow here: the exporter (`export.py`) and the assembler (`models.py`) both read this table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from facewire_serving import (
    embedding_weights,
    facenet_weights,
    frozen_graph,
    minifasnet_weights,
    mobilefacenet_weights,
    mtcnn_weights,
    weights,
)
from facewire_serving.onnx_file import initializers
from facewire_serving.tflite_file import operators

__all__ = ["SERVABLES", "Constants", "Servable"]

Constants = Mapping[str, NDArray[np.float32]]
"""The constants of a graph that are made from weights, by name."""


@dataclass(frozen=True)
class Servable:
    """One servable.

    Attributes:
        name: the name of its folder, and its name in a request.
        files: the weights that it is made from.
        constants: reads the weights (cache folder, console for progress) and calculates the
            graph's constants; raises `carrier.FetchError`.
        is_default: it is built unless another one is asked for.
    """

    name: str
    files: tuple[weights.Weights, ...]
    constants: Callable[[Path, Console], Constants]
    is_default: bool = True


def _mtcnn(cache: Path, console: Console) -> Constants:
    return mtcnn_weights.constants(weights.mtcnn_parameters(cache, console))


def _embedding(cache: Path, console: Console) -> Constants:
    return embedding_weights.constants(initializers(weights.sface_onnx(cache, console)))


def _facenet(name: str) -> Servable:
    file = weights.FACENET[name]

    def constants(cache: Path, console: Console) -> Constants:
        return facenet_weights.constants(
            frozen_graph.constants(weights.fetch(file, cache, console))
        )

    return Servable(name, (file,), constants, is_default=False)


def _w600k_mbf(cache: Path, console: Console) -> Constants:
    file = weights.fetch(weights.W600K_MBF, cache, console)
    return mobilefacenet_weights.constants(initializers(file))


def _presentation_attack(cache: Path, console: Console) -> Constants:
    return minifasnet_weights.constants(
        operators(weights.fetch(weights.MINIFASNET, cache, console))
    )


SERVABLES: Final = (
    Servable("mtcnn", tuple(weights.MTCNN.values()), _mtcnn),
    Servable("embedding", (weights.SFACE,), _embedding),
    *map(_facenet, weights.FACENET),
    Servable("w600k_mbf", (weights.W600K_MBF,), _w600k_mbf, is_default=False),
    Servable("presentation_attack", (weights.MINIFASNET,), _presentation_attack, is_default=False),
)
"""All servables, in the order in which they are built."""
