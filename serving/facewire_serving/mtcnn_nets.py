"""The three MTCNN networks as TensorFlow functions over the published parameters.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
IEEE Signal Processing Letters 23(10), 2016. Every network is written with 'valid' convolutions only:
a dense layer over a feature map is the convolution that covers it. The heads of a network share one
convolution; the two-class softmax is the sigmoid of the difference of its logits, and that
difference is what the networks answer: the face logit.

Pictures come in as [n, height, width, 3] RGB, `(x - 127.5) / 128`, so 0 is neutral grey.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

__all__ = ["OutputNet", "ProposalNet", "RefineNet"]

Parameters = Sequence[np.ndarray]


class _Trunk(tf.Module):
    """Convolution + PReLU layers; `parameters` lists [kernel, bias, slope] of each, then the heads."""

    def __init__(self, parameters: Parameters, pools: Sequence[tuple[int, str] | None]) -> None:
        super().__init__()
        count = 3 * len(pools)
        self._layers = [parameters[i : i + 3] for i in range(0, count, 3)]
        self._pools = pools
        self._head = _joined_heads(parameters[count:])

    def _run(self, x: tf.Tensor) -> tf.Tensor:
        for (kernel, bias, slope), pool in zip(self._layers, self._pools, strict=True):
            if kernel.ndim == 2:
                kernel = _dense_as_convolution(kernel, channels=x.shape[-1])
            x = _prelu(tf.nn.conv2d(x, kernel, 1, "VALID") + bias, slope.reshape(-1))
            if pool is not None:
                size, padding = pool
                x = tf.nn.max_pool2d(x, size, 2, padding)
        kernel, bias = self._head
        return tf.nn.conv2d(x, kernel, 1, "VALID") + bias


class ProposalNet(_Trunk):
    """P-Net: 12 px windows at a stride of 2 px, over a picture of any size, indexed [x, y]."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__([_sideways(array) for array in parameters], ((2, "SAME"), None, None))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[n,X,Y,3] -> face logits [n,X',Y'] and box offsets [n,X',Y',4] (in units of 12 px)."""
        out = self._run(x)
        return out[..., 4], out[..., :4]


class RefineNet(_Trunk):
    """R-Net: 24 px crops."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters, ((3, "SAME"), (3, "VALID"), None, None))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[n,24,24,3] -> face logits [n] and box offsets [n,4] (in units of the crop's side)."""
        out = self._run(x)[:, 0, 0]
        return out[:, 4], out[:, :4]


class OutputNet(_Trunk):
    """O-Net: 48 px crops."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters, ((3, "SAME"), (3, "VALID"), (2, "SAME"), None, None))

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """[n,48,48,3] -> face logits [n], box offsets [n,4], landmarks [n,5,2] (x, y; 0..1)."""
        out = self._run(x)[:, 0, 0]
        landmarks = tf.stack([out[:, 4:9], out[:, 9:14]], axis=-1)
        return out[:, 14], out[:, :4], landmarks


def _prelu(x: tf.Tensor, slope: np.ndarray) -> tf.Tensor:
    # Written as relu(x) - slope * relu(-x): the form that OpenVINO fuses into the convolution.
    return tf.nn.relu(x) - slope * tf.nn.relu(-x)


def _sideways(array: np.ndarray) -> np.ndarray:
    """A kernel for pictures indexed [x, y]; other arrays as they are."""
    return array.transpose(1, 0, 2, 3) if array.ndim == 4 else array


def _dense_as_convolution(kernel: np.ndarray, channels: int) -> np.ndarray:
    """The dense layer over a k x k map, whose rows are ordered x, y, channel, as a convolution."""
    side = round((kernel.shape[0] / channels) ** 0.5)
    return kernel.reshape(side, side, channels, -1).transpose(1, 0, 2, 3)


def _joined_heads(heads: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Joins [kernel, bias] pairs; the last pair, the softmax of (other, face), becomes one logit."""
    kernels = [kernel.reshape(1, 1, *kernel.shape[-2:]) for kernel in heads[0::2]]
    biases = list(heads[1::2])
    kernels[-1] = kernels[-1][..., 1:] - kernels[-1][..., :1]
    biases[-1] = biases[-1][1:] - biases[-1][:1]
    return np.concatenate(kernels, axis=-1), np.concatenate(biases)
