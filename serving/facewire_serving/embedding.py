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

from facewire_serving.embedding_weights import BLOCKS

__all__ = ["CROP_PX", "DIMENSION", "export"]

CROP_PX: Final = 112
"""Side of a crop, in pixels."""

DIMENSION: Final = 128
"""Length of an embedding."""

_STRIDES: Final = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Stride of the depthwise convolution of each separable block, as in the published file."""

_Constants = Mapping[str, NDArray[np.float32]]


def export(constants: _Constants, directory: Path) -> None:
    """Writes the SavedModel.

    Its one signature, `serving_default`, takes `faces`, uint8 (n, 112, 112, 3) RGB, aligned, and
    returns `embeddings`, float32 (n, 128) of unit length, and `norms`, float32 (n,), their lengths before
    they were normalized; n may be 0.

    Args:
        constants: what `embedding_weights.constants` returns.
        directory: where to write; made if absent.
    """

    @tf.function(
        input_signature=[tf.TensorSpec((None, CROP_PX, CROP_PX, 3), tf.uint8, name="faces")]
    )
    def embed(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.shape(faces)[0]
        # TensorFlow's oneDNN convolutions return a wrong shape for an empty batch, and the graph fails.
        # To an empty batch the graph appends a blank crop, and cuts its embedding off.
        blank = tf.cast(count == 0, tf.int32)
        crops = tf.pad(faces, [[0, blank], [0, 0], [0, 0], [0, 0]])
        vectors = _head(constants, _trunk(constants, crops))[:count]
        return {
            "embeddings": tf.math.l2_normalize(vectors, axis=1),
            "norms": tf.norm(vectors, axis=1),
        }

    module = tf.Module()
    module.embed = embed
    tf.saved_model.save(module, str(directory), signatures={"serving_default": embed})


def _trunk(constants: _Constants, faces: tf.Tensor) -> tf.Tensor:
    """uint8 (n, 112, 112, 3) to float32 (n, 7, 7, 1024)."""
    features = (tf.cast(faces, tf.float32) - 127.5) / 128.0
    features = _convolution(constants, "conv_1", features)
    for block, stride in zip(BLOCKS, _STRIDES, strict=True):
        features = _depthwise(constants, f"conv_{block}_dw", features, stride)
        features = _convolution(constants, f"conv_{block}", features)
    return features


def _head(constants: _Constants, features: tf.Tensor) -> tf.Tensor:
    """float32 (n, 7, 7, 1024) to vectors of any length, float32 (n, 128)."""
    flat = tf.reshape(tf.transpose(features, (0, 3, 1, 2)), (-1, 1024 * 7 * 7))
    vectors = tf.matmul(flat, tf.constant(constants["head/kernel"]))
    return vectors + tf.constant(constants["head/shift"])


def _convolution(constants: _Constants, name: str, features: tf.Tensor) -> tf.Tensor:
    kernel = constants[f"{name}/kernel"]
    pad = kernel.shape[0] // 2
    features = tf.nn.conv2d(
        features,
        tf.constant(kernel),
        strides=1,
        padding=[[0, 0], [pad, pad], [pad, pad], [0, 0]],
    )
    return _shifted_prelu(constants, name, features)


def _depthwise(constants: _Constants, name: str, features: tf.Tensor, stride: int) -> tf.Tensor:
    # One pixel on every side. TensorFlow's "SAME" does that at stride 1 only, and OpenVINO reads no
    # explicit padding of a depthwise convolution; it fuses a pad that stands before it.
    if stride == 2:
        features = tf.pad(features, [[0, 0], [1, 1], [1, 1], [0, 0]])
    features = tf.nn.depthwise_conv2d(
        features,
        tf.constant(constants[f"{name}/kernel"]),
        strides=(1, stride, stride, 1),
        padding="SAME" if stride == 1 else "VALID",
    )
    return _shifted_prelu(constants, name, features)


def _shifted_prelu(constants: _Constants, name: str, features: tf.Tensor) -> tf.Tensor:
    features = features + tf.constant(constants[f"{name}/shift"])
    minus_slope = tf.constant(constants[f"{name}/minus_slope"])
    # Written in the form that OpenVINO recognizes and fuses into the convolution.
    return tf.nn.relu(features) + minus_slope * tf.nn.relu(-features)
