"""The `embedding` servable: SFace, rebuilt in TensorFlow from the published parameters.

SFace (Zhong et al., "SFace: sigmoid-constrained hypersphere loss for robust face recognition",
2021) on a MobileNet trunk (Howard et al. 2017) for 112 px crops. The published ONNX file fixes
the batch to one and leaves the vectors unscaled; this graph takes any number of crops, none
included, prepares the pixels itself and answers unit vectors.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["CROP_PX", "DIMENSION", "export"]

CROP_PX: Final = 112
"""Side of a crop, in pixels."""

DIMENSION: Final = 128
"""Length of an embedding."""

# Stride of the depthwise convolution of each of the 13 separable blocks.
_STRIDES: Final = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
_TRUNK_EPSILON: Final = 1e-3
_HEAD_EPSILON: Final = 2e-5
_Parameters = Mapping[str, NDArray[np.float32]]


def export(parameters: _Parameters, directory: Path) -> None:
    """Writes the SavedModel.

    Its one signature, `serving_default`, takes `faces`, uint8 (n, 112, 112, 3) RGB, aligned, and
    answers `embeddings`, float32 (n, 128) of unit length; n may be 0.

    Args:
        parameters: The constants of `face_recognition_sface_2021dec.onnx`, by name.
        directory: Where to write; made when absent.
    """

    @tf.function(
        input_signature=[tf.TensorSpec((None, CROP_PX, CROP_PX, 3), tf.uint8, name="faces")]
    )
    def embed(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.shape(faces)[0]
        # TensorFlow's oneDNN convolutions give an empty batch a wrong shape, and the graph fails:
        # it computes one blank crop instead, whose answer is cut off.
        blank = tf.cast(count == 0, tf.int32)
        crops = tf.pad(faces, [[0, blank], [0, 0], [0, 0], [0, 0]])
        return {"embeddings": _head(parameters, _trunk(parameters, crops))[:count]}

    module = tf.Module()
    module.embed = embed
    tf.saved_model.save(module, str(directory), signatures={"serving_default": embed})


def _trunk(parameters: _Parameters, faces: tf.Tensor) -> tf.Tensor:
    """uint8 (n, 112, 112, 3) to float32 (n, 7, 7, 1024)."""
    features = (tf.cast(faces, tf.float32) - 127.5) / 128.0
    features = _convolution(parameters, "conv_1", features, stride=1)
    for block, stride in enumerate(_STRIDES, start=2):
        features = _depthwise(parameters, f"conv_{block}_dw", features, stride)
        features = _convolution(parameters, f"conv_{block}", features, stride=1)
    return features


def _head(parameters: _Parameters, features: tf.Tensor) -> tf.Tensor:
    """float32 (n, 7, 7, 1024) to unit vectors, float32 (n, 128).

    Batch normalisation, dense layer, batch normalisation: three linear steps, so one.
    """
    scale_in, shift_in = _normalization(parameters, "bn1", _HEAD_EPSILON)
    scale_out, shift_out = _normalization(parameters, "fc1", _HEAD_EPSILON)
    # A row an output, flattened (channel, y, x); the features lie (y, x, channel).
    kernel = parameters["pre_fc1_weight"].astype(np.float64)
    bias = kernel @ np.repeat(shift_in, 7 * 7) + parameters["pre_fc1_bias"]
    kernel = kernel * np.repeat(scale_in, 7 * 7) * scale_out[:, None]
    flat = tf.reshape(tf.transpose(features, (0, 3, 1, 2)), (-1, 1024 * 7 * 7))
    vectors = tf.matmul(flat, _constant(kernel.T))
    return tf.math.l2_normalize(vectors + _constant(bias * scale_out + shift_out), axis=1)


def _convolution(parameters: _Parameters, name: str, features: tf.Tensor, stride: int) -> tf.Tensor:
    scale, shift = _normalization(parameters, f"{name}_batchnorm", _TRUNK_EPSILON)
    kernel = parameters[f"{name}_conv2d_weight"].transpose(2, 3, 1, 0) * scale
    pad = kernel.shape[0] // 2
    features = tf.nn.conv2d(
        features,
        _constant(kernel),
        strides=stride,
        padding=[[0, 0], [pad, pad], [pad, pad], [0, 0]],
    )
    return _prelu(parameters, name, features + _constant(shift))


def _depthwise(parameters: _Parameters, name: str, features: tf.Tensor, stride: int) -> tf.Tensor:
    scale, shift = _normalization(parameters, f"{name}_batchnorm", _TRUNK_EPSILON)
    kernel = parameters[f"{name}_conv2d_weight"].transpose(2, 3, 0, 1) * scale[:, None]
    # One pixel on every side. TensorFlow's "SAME" does that at stride 1 only, and OpenVINO reads no
    # explicit padding of a depthwise convolution; it fuses a pad that stands before it.
    if stride == 2:
        features = tf.pad(features, [[0, 0], [1, 1], [1, 1], [0, 0]])
    features = tf.nn.depthwise_conv2d(
        features,
        _constant(kernel),
        strides=(1, stride, stride, 1),
        padding="SAME" if stride == 1 else "VALID",
    )
    return _prelu(parameters, name, features + _constant(shift))


def _prelu(parameters: _Parameters, name: str, features: tf.Tensor) -> tf.Tensor:
    slopes = parameters[f"{name}_relu_gamma"].reshape(-1)
    # Written in the form that OpenVINO recognises and fuses into the convolution.
    return tf.nn.relu(features) + _constant(-slopes) * tf.nn.relu(-features)


def _normalization(
    parameters: _Parameters, name: str, epsilon: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A batch normalisation as the scale and the shift that it comes to, a channel."""
    gamma, beta, mean, variance = (
        parameters[f"{name}_{part}"].astype(np.float64)
        for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _constant(array: NDArray[np.floating]) -> tf.Tensor:
    return tf.constant(array, tf.float32)
