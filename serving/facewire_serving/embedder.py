"""The signature that every embedding servable has, around a network of any kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import tensorflow as tf

__all__ = ["CROP_PX", "save"]

CROP_PX: Final = 112
"""Side of a crop, in pixels."""


def save(network: Callable[[tf.Tensor], tf.Tensor], directory: Path) -> None:
    """Writes the SavedModel of a network.

    Its one signature, `serving_default`, takes `faces`, uint8 (n, 112, 112, 3) RGB, aligned, and
    returns `embeddings`, float32 (n, d) of unit length, and `norms`, float32 (n,), their lengths before
    they were normalized; n may be 0.

    Args:
        network: uint8 crops, at least one, to vectors of any length, float32 (n, d).
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
        vectors = network(crops)[:count]
        return {
            "embeddings": tf.math.l2_normalize(vectors, axis=1),
            "norms": tf.norm(vectors, axis=1),
        }

    module = tf.Module()
    module.embed = embed
    tf.saved_model.save(module, str(directory), signatures={"serving_default": embed})
