"""The layers of networks of the MobileNet kind, as both engines run them best."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["Constants", "convolution", "depthwise", "shifted_prelu"]

Constants = Mapping[str, NDArray[np.float32]]
"""By "<layer>/<part>": `kernel`, `shift` (out,), and `minus_slope` (out,) of a layer that a PReLU follows."""


def convolution(constants: Constants, name: str, features: tf.Tensor, stride: int = 1) -> tf.Tensor:
    """Returns a convolution that is padded on every side, with its PReLU if it has one."""
    kernel = constants[f"{name}/kernel"]
    pad = kernel.shape[0] // 2
    features = tf.nn.conv2d(
        features,
        tf.constant(kernel),
        strides=stride,
        padding=[[0, 0], [pad, pad], [pad, pad], [0, 0]],
    )
    return shifted_prelu(constants, name, features)


def depthwise(constants: Constants, name: str, features: tf.Tensor, stride: int) -> tf.Tensor:
    """Returns a depthwise 3x3 convolution that is padded by one pixel on every side, with its PReLU."""
    # TensorFlow's "SAME" pads so at stride 1 only, and OpenVINO reads no explicit padding of a
    # depthwise convolution; it fuses a pad that stands before it.
    if stride == 2:
        features = tf.pad(features, [[0, 0], [1, 1], [1, 1], [0, 0]])
    features = tf.nn.depthwise_conv2d(
        features,
        tf.constant(constants[f"{name}/kernel"]),
        strides=(1, stride, stride, 1),
        padding="SAME" if stride == 1 else "VALID",
    )
    return shifted_prelu(constants, name, features)


def shifted_prelu(constants: Constants, name: str, features: tf.Tensor) -> tf.Tensor:
    """Adds the shift of a layer, and applies its PReLU if it has one."""
    features = features + tf.constant(constants[f"{name}/shift"])
    if f"{name}/minus_slope" not in constants:
        return features
    minus_slope = tf.constant(constants[f"{name}/minus_slope"])
    # Written in the form that OpenVINO recognizes and fuses into the convolution.
    return tf.nn.relu(features) + minus_slope * tf.nn.relu(-features)
