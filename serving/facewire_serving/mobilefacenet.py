"""The `w600k_mbf` servable: MobileFaceNet, rebuilt in TensorFlow from the published parameters.

MobileFaceNet (Chen et al., "MobileFaceNets: efficient CNNs for accurate real-time face verification on mobile devices", CCBR 2018), as
InsightFace trained it on WebFace600K. The license of these weights forbids commercial use.
"""

from pathlib import Path
from typing import Final

import tensorflow as tf

from facewire_serving import embedder, layers
from facewire_serving.layers import Constants
from facewire_serving.mobilefacenet_weights import BLOCKS

__all__ = ["DIMENSION", "export"]

DIMENSION: Final = 512
"""Length of an embedding."""

_GROUPED_CHANNELS: Final = 128


def export(constants: Constants, directory: Path) -> None:
    """Writes the SavedModel, with the signature that `embedder.save` describes.

    Args:
        constants: what `mobilefacenet_weights.constants` returns.
        directory: where to write; made if absent.
    """
    embedder.save(lambda crops: _vectors(constants, crops), directory)


def _vectors(constants: Constants, crops: tf.Tensor) -> tf.Tensor:
    """uint8 (n, 112, 112, 3) to vectors of any length, float32 (n, 512)."""
    features = (tf.cast(crops, tf.float32) - 127.5) / 127.5
    features = layers.convolution(constants, "stem", features, stride=2)
    features = _grouped(constants, features)
    for block, is_residual in enumerate(BLOCKS):
        inner = layers.convolution(constants, f"{block}/expand", features)
        stride = 1 if is_residual else 2
        inner = layers.depthwise(constants, f"{block}/depthwise", inner, stride)
        inner = layers.convolution(constants, f"{block}/project", inner)
        features = features + inner if is_residual else inner
    features = layers.convolution(constants, "expand", features)
    features = layers.convolution(constants, "reduce", features)
    flat = tf.reshape(features, (-1, constants["head/kernel"].shape[0]))
    return tf.matmul(flat, tf.constant(constants["head/kernel"])) + tf.constant(
        constants["head/shift"]
    )


def _grouped(constants: Constants, features: tf.Tensor) -> tf.Tensor:
    """A convolution in groups of two channels, as two depthwise ones: TensorFlow's own runs on few processors."""
    partners = [channel ^ 1 for channel in range(_GROUPED_CHANNELS)]
    parts = [
        tf.nn.depthwise_conv2d(each, tf.constant(constants[name]), (1, 1, 1, 1), "SAME")
        for each, name in (
            (features, "grouped/kernel"),
            (tf.gather(features, partners, axis=3), "grouped/other"),
        )
    ]
    return layers.shifted_prelu(constants, "grouped", parts[0] + parts[1])
