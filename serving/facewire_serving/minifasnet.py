"""The `presentation_attack` servable: MiniFASNetV2, rebuilt in TensorFlow from the published parameters.

MiniFASNetV2 of Minivision's Silent-Face-Anti-Spoofing (2020), a MobileFaceNet with few channels. It takes a face with its surroundings: the box enlarged 2.7
times, so that a screen's border, a hand or a sheet of paper is seen.
"""

from pathlib import Path
from typing import Final

import tensorflow as tf

from facewire_serving import layers
from facewire_serving.layers import Constants
from facewire_serving.minifasnet_weights import BLOCKS

__all__ = ["SIDE_PX", "export"]

SIDE_PX: Final = 80
"""Side of the pictures that the network takes, pixels."""

_LIVE: Final = 1
"""Which of the three classes is a live face; the others are two kinds of attack."""


def export(constants: Constants, directory: Path) -> None:
    """Writes the SavedModel.

    Its one signature, `serving_default`, takes `faces`, uint8 (n, 80, 80, 3) RGB, and returns `log_odds`, float32 (n,): the natural
    logarithm of how much more probable the network takes an attack to be than a live face; n may be 0.

    Args:
        constants: what `minifasnet_weights.constants` returns.
        directory: where to write; made if absent.
    """

    @tf.function(
        input_signature=[tf.TensorSpec((None, SIDE_PX, SIDE_PX, 3), tf.uint8, name="faces")]
    )
    def score(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.shape(faces)[0]
        # As in `embedder.save`: TensorFlow's convolutions take no empty batch.
        blank = tf.cast(count == 0, tf.int32)
        pictures = tf.pad(faces, [[0, blank], [0, 0], [0, 0], [0, 0]])
        logits = _logits(constants, pictures)[:count]
        first, live, second = (logits[:, each] for each in (0, _LIVE, 2))
        # ln(e^first + e^second) - live, without powers that overflow
        return {"log_odds": first + tf.math.softplus(second - first) - live}

    module = tf.Module()
    module.score = score
    tf.saved_model.save(module, str(directory), signatures={"serving_default": score})


def _logits(constants: Constants, faces: tf.Tensor) -> tf.Tensor:
    """uint8 (n, 80, 80, 3) to float32 (n, 3)."""
    features = layers.convolution(constants, "stem", tf.cast(faces, tf.float32), stride=2)
    features = layers.depthwise(constants, "depthwise", features, 1)
    for block, is_residual in enumerate(BLOCKS):
        inner = layers.convolution(constants, f"{block}/expand", features)
        inner = layers.depthwise(constants, f"{block}/depthwise", inner, 1 if is_residual else 2)
        inner = layers.convolution(constants, f"{block}/project", inner)
        features = features + inner if is_residual else inner
    features = layers.convolution(constants, "expand", features)
    # A depthwise convolution of the map's own size: a sum of its cells, with weights.
    kernel = tf.constant(constants["pool/kernel"][:, :, :, 0])
    features = tf.reduce_sum(features * kernel, axis=(1, 2)) + tf.constant(constants["pool/shift"])
    features = tf.matmul(features, tf.constant(constants["features/kernel"]))
    features = features + tf.constant(constants["features/shift"])
    return tf.matmul(features, tf.constant(constants["logits/kernel"]))
