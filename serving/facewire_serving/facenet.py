"""The FaceNet servables: Inception-ResNet-v1, rebuilt in TensorFlow from the published parameters.

The network of Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections on learning", AAAI
2017, as D. Sandberg's `facenet` trained it on VGGFace2 and on CASIA-WebFace (2018), with 512 numbers. The ancestor of
facewire recognized with these weights. They were trained on the box of the face with a margin, 160 pixels wide; this graph
takes the crop that all models here take, and makes of it what is most like that (docs/models.md says what that costs).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from facewire_serving import embedder

__all__ = ["DIMENSION", "export"]

DIMENSION: Final = 512
"""Length of an embedding."""

_INPUT_PX: Final = 160
"""Side of the picture that the network was trained on."""

_ADDED_PX: Final = (1, 19)
_CUT_PX: Final = (3, 3)
"""Rows that are mirrored above and below the crop, and columns that are cut off: the picture that FaceNet was trained on is 106 x 132
pixels of an aligned crop (mean of 30 pictures of LFW), and reaches to the neck, which the crop does not."""

_Constants = Mapping[str, NDArray[np.float32]]


def export(constants: _Constants, directory: Path) -> None:
    """Writes the SavedModel, with the signature that `embedder.save` describes.

    Args:
        constants: what `facenet_weights.constants` returns.
        directory: where to write; made if absent.
    """
    embedder.save(_Network(constants).vectors, directory)


class _Network:
    """The layers, by their published names."""

    def __init__(self, constants: _Constants) -> None:
        self._constants = constants

    def vectors(self, crops: tf.Tensor) -> tf.Tensor:
        """uint8 (n, 112, 112, 3) to vectors of any length, float32 (n, 512)."""
        features = self._stem((_enlarged(crops) - 127.5) / 128.0)
        for block in range(1, 6):
            features = self._block35(f"Repeat/block35_{block}", features)
        features = self._mixed_6a(features)
        for block in range(1, 11):
            features = self._two_branches(f"Repeat_1/block17_{block}", features, 7)
        features = self._mixed_7a(features)
        for block in range(1, 6):
            features = self._two_branches(f"Repeat_2/block8_{block}", features, 3)
        features = self._two_branches("Block8", features, 3, is_last=True)
        vectors = tf.matmul(tf.reduce_mean(features, (1, 2)), self._constant("head/kernel"))
        return vectors + self._constant("head/shift")

    def _stem(self, pixels: tf.Tensor) -> tf.Tensor:
        """float32 (n, 160, 160, 3) to (n, 17, 17, 256)."""
        features = self._layer("Conv2d_1a_3x3", pixels, stride=2)
        features = self._layer("Conv2d_2a_3x3", features, padding="VALID")
        features = self._layer("Conv2d_2b_3x3", features)
        features = _pool(features)
        features = self._layer("Conv2d_3b_1x1", features)
        features = self._layer("Conv2d_4a_3x3", features, padding="VALID")
        return self._layer("Conv2d_4b_3x3", features, stride=2)

    def _block35(self, name: str, features: tf.Tensor) -> tf.Tensor:
        branches = [
            self._layer(f"{name}/Branch_0/Conv2d_1x1", features),
            self._layers(f"{name}/Branch_1", ("0a_1x1", "0b_3x3"), features),
            self._layers(f"{name}/Branch_2", ("0a_1x1", "0b_3x3", "0c_3x3"), features),
        ]
        return self._joined(name, features, branches)

    def _two_branches(
        self, name: str, features: tf.Tensor, reach: int, *, is_last: bool = False
    ) -> tf.Tensor:
        branches = [
            self._layer(f"{name}/Branch_0/Conv2d_1x1", features),
            self._layers(
                f"{name}/Branch_1", ("0a_1x1", f"0b_1x{reach}", f"0c_{reach}x1"), features
            ),
        ]
        return self._joined(name, features, branches, is_last=is_last)

    def _joined(
        self, name: str, features: tf.Tensor, branches: list[tf.Tensor], *, is_last: bool = False
    ) -> tf.Tensor:
        joined = self._convolution(f"{name}/Conv2d_1x1", tf.concat(branches, 3), 1, "SAME")
        return features + joined if is_last else tf.nn.relu(features + joined)

    def _mixed_6a(self, features: tf.Tensor) -> tf.Tensor:
        """float32 (n, 17, 17, 256) to (n, 8, 8, 896)."""
        branches = [
            self._layer("Mixed_6a/Branch_0/Conv2d_1a_3x3", features, stride=2),
            self._halved("Mixed_6a/Branch_1", ("0a_1x1", "0b_3x3"), features),
            _pool(features),
        ]
        return tf.concat(branches, 3)

    def _mixed_7a(self, features: tf.Tensor) -> tf.Tensor:
        """float32 (n, 8, 8, 896) to (n, 3, 3, 1792)."""
        branches = [
            self._halved("Mixed_7a/Branch_0", ("0a_1x1",), features),
            self._halved("Mixed_7a/Branch_1", ("0a_1x1",), features),
            self._halved("Mixed_7a/Branch_2", ("0a_1x1", "0b_3x3"), features),
            _pool(features),
        ]
        return tf.concat(branches, 3)

    def _layers(self, name: str, layers: tuple[str, ...], features: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            features = self._layer(f"{name}/Conv2d_{layer}", features)
        return features

    def _halved(self, name: str, layers: tuple[str, ...], features: tf.Tensor) -> tf.Tensor:
        return self._layer(f"{name}/Conv2d_1a_3x3", self._layers(name, layers, features), stride=2)

    def _layer(
        self, name: str, features: tf.Tensor, *, stride: int = 1, padding: str = "SAME"
    ) -> tf.Tensor:
        """A convolution and a ReLU; one of stride 2 has no padding."""
        padding = padding if stride == 1 else "VALID"
        return tf.nn.relu(self._convolution(name, features, stride, padding))

    def _convolution(self, name: str, features: tf.Tensor, stride: int, padding: str) -> tf.Tensor:
        kernel = self._constant(f"{name}/kernel")
        features = tf.nn.conv2d(features, kernel, strides=stride, padding=padding)
        return features + self._constant(f"{name}/shift")

    def _constant(self, name: str) -> tf.Tensor:
        return tf.constant(self._constants[name])


def _enlarged(crops: tf.Tensor) -> tf.Tensor:
    """uint8 (n, 112, 112, 3) to float32 (n, 160, 160, 3): bilinear."""
    (top, bottom), (left, right) = _ADDED_PX, _CUT_PX
    cut = tf.cast(crops, tf.float32)[:, :, left:-right]
    whole = tf.pad(cut, [[0, 0], [top, bottom], [0, 0], [0, 0]], "REFLECT")
    return tf.image.resize(whole, (_INPUT_PX, _INPUT_PX))


def _pool(features: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(features, 3, 2, "VALID")
