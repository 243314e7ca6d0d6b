"""The `embedding` servable: SFace, rebuilt in TensorFlow from the published parameters.

SFace (Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition",
2021) on a MobileNet trunk (Howard et al. 2017) for 112 px crops. The published ONNX file fixes
the batch to one and leaves the vectors unscaled; this graph takes any number of crops, none
included, prepares the pixels itself and returns unit vectors, and the length that each had before:
the poorer the crop, the shorter (Meng et al., "MagFace: a universal representation for face
recognition and quality assessment", CVPR 2021, trains for that; in SFace it is so without training).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from facewire_serving import embedder, layers
from facewire_serving.embedding_weights import BLOCKS

__all__ = ["DIMENSION", "export"]

DIMENSION: Final = 128
"""Length of an embedding."""

_STRIDES: Final = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Stride of the depthwise convolution of each separable block, as in the published file."""

_Constants = Mapping[str, NDArray[np.float32]]


def export(constants: _Constants, directory: Path) -> None:
    """Writes the SavedModel, with the signature that `embedder.save` describes.

    Args:
        constants: what `embedding_weights.constants` returns.
        directory: where to write; made if absent.
    """
    embedder.save(lambda crops: _head(constants, _trunk(constants, crops)), directory)


def _trunk(constants: _Constants, faces: tf.Tensor) -> tf.Tensor:
    """uint8 (n, 112, 112, 3) to float32 (n, 7, 7, 1024)."""
    features = (tf.cast(faces, tf.float32) - 127.5) / 128.0
    features = layers.convolution(constants, "conv_1", features)
    for block, stride in zip(BLOCKS, _STRIDES, strict=True):
        features = layers.depthwise(constants, f"conv_{block}_dw", features, stride)
        features = layers.convolution(constants, f"conv_{block}", features)
    return features


def _head(constants: _Constants, features: tf.Tensor) -> tf.Tensor:
    """float32 (n, 7, 7, 1024) to vectors of any length, float32 (n, 128)."""
    flat = tf.reshape(tf.transpose(features, (0, 3, 1, 2)), (-1, 1024 * 7 * 7))
    vectors = tf.matmul(flat, tf.constant(constants["head/kernel"]))
    return vectors + tf.constant(constants["head/shift"])
