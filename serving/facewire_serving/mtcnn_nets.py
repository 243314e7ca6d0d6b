"""The three MTCNN networks as TensorFlow functions over their constants.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
IEEE Signal Processing Letters 23(10), 2016. Every network is written with 'valid' convolutions only:
a dense layer over a feature map is the convolution that covers it. The heads of a network share one
convolution; the two-class softmax is the sigmoid of the difference of its logits, and that
difference is what the networks return: the face logit.

Pictures come in as [n, height, width, 3] RGB, `(x - 127.5) / 128`, so 0 is neutral gray.
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["OutputNet", "ProposalNet", "RefineNet"]

_Constants = Mapping[str, NDArray]


class _Net:
    """Convolution + PReLU layers with a pooling after some, then the heads as one convolution."""

    def __init__(
        self, name: str, constants: _Constants, pools: Sequence[tuple[int, str] | None]
    ) -> None:
        """Takes the constants of one network, as `mtcnn_weights.constants` names them.

        Args:
            name: of the network, "pnet", "rnet" or "onet".
            constants: of all networks.
            pools: size and padding of the pooling after each layer; None = no pooling.
        """
        self._prefix = name
        self._constants = constants
        self._pools = pools

    def _run(self, x: tf.Tensor) -> tf.Tensor:
        for layer, pool in enumerate(self._pools):
            x = tf.nn.conv2d(x, self._constant(layer, "kernel"), 1, "VALID")
            x = _prelu(x + self._constant(layer, "bias"), self._constant(layer, "slope"))
            if pool is not None:
                size, padding = pool
                x = tf.nn.max_pool2d(x, size, 2, padding)
        kernel, bias = self._constant("head", "kernel"), self._constant("head", "bias")
        return tf.nn.conv2d(x, kernel, 1, "VALID") + bias

    def _constant(self, layer: int | str, part: str) -> tf.Tensor:
        return tf.constant(self._constants[f"{self._prefix}/{layer}/{part}"])


class ProposalNet(_Net):
    """P-Net: 12 px windows at a stride of 2 px, over a picture of any size, indexed [x, y]."""

    def __init__(self, constants: _Constants) -> None:
        super().__init__("pnet", constants, ((2, "SAME"), None, None))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[n,X,Y,3] -> face logits [n,X',Y'] and box offsets [n,4,X',Y'] (in units of 12 px)."""
        # In planes, as OpenVINO has them: a plane is cut off without copying every window.
        out = tf.transpose(self._run(x), [0, 3, 1, 2])
        return out[:, 4], out[:, :4]


class RefineNet(_Net):
    """R-Net: 24 px crops."""

    def __init__(self, constants: _Constants) -> None:
        super().__init__("rnet", constants, ((3, "SAME"), (3, "VALID"), None, None))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[n,24,24,3] -> face logits [n] and box offsets [n,4] (in units of the crop's side)."""
        out = self._run(x)[:, 0, 0]
        return out[:, 4], out[:, :4]


class OutputNet(_Net):
    """O-Net: 48 px crops."""

    def __init__(self, constants: _Constants) -> None:
        super().__init__("onet", constants, ((3, "SAME"), (3, "VALID"), (2, "SAME"), None, None))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """[n,48,48,3] -> face logits [n], box offsets [n,4], landmarks [n,5,2] (x, y; 0..1)."""
        out = self._run(x)[:, 0, 0]
        landmarks = tf.stack([out[:, 4:9], out[:, 9:14]], axis=-1)
        return out[:, 14], out[:, :4], landmarks


def _prelu(x: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
    # Written as relu(x) - slope * relu(-x): the form that OpenVINO fuses into the convolution.
    return tf.nn.relu(x) - slope * tf.nn.relu(-x)
