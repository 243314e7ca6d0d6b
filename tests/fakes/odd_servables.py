"""SavedModels that are not what they should be: `python odd_servables.py MODEL FOLDER` (in TensorFlow).

MODEL is the version folder of the right one. Each is a folder `FOLDER/<kind>/1`, to be served as `embedding`:

* `wrong`: the right signature, other vectors.
* `garbage`: the right signature as declared, answers of another shape.
* `signature`: an input of another name, type and size.
* `nameless`: no `serving_default`.
* `old`: MODEL as it was built before it had the output `norms`. The server goes on using it.
"""

import sys
from pathlib import Path

import tensorflow as tf

FACES = tf.TensorSpec((None, 112, 112, 3), tf.uint8, name="faces")
IMAGES = tf.TensorSpec((None, 160, 160, 3), tf.float32, name="images")


def vectors(faces: tf.Tensor) -> tf.Tensor:
    cells = tf.reduce_mean(tf.cast(faces, tf.float32), axis=2) - 127.0
    return tf.math.l2_normalize(tf.reshape(cells, (-1, 336))[:, :128], axis=1)


@tf.function(input_signature=[FACES])
def wrong(faces: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"embeddings": vectors(faces)}


@tf.function(input_signature=[FACES])
def garbage(faces: tf.Tensor) -> dict[str, tf.Tensor]:
    # A width that only pixels decide is declared as free, so the signature looks right.
    width = 64 * tf.reduce_max(tf.cast(faces[:, 0, 0, 0] >= 0, tf.int32))
    return {"embeddings": tf.reshape(vectors(faces), tf.stack([tf.shape(faces)[0] * 2, width]))}


@tf.function(input_signature=[IMAGES])
def signature(images: tf.Tensor) -> dict[str, tf.Tensor]:
    return {"vectors": tf.reduce_mean(images, axis=(1, 2))}


def old(model: Path) -> tf.Module:
    module = tf.Module()
    module.loaded = tf.saved_model.load(str(model))
    whole = module.loaded.signatures["serving_default"]

    @tf.function(input_signature=[FACES])
    def function(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embeddings": whole(faces=faces)["embeddings"]}

    module.function = function
    return module


def main(model: Path, folder: Path) -> None:
    for kind, function in (("wrong", wrong), ("garbage", garbage), ("signature", signature)):
        module = tf.Module()
        module.function = function
        target = str(folder / kind / "1")
        tf.saved_model.save(module, target, signatures={"serving_default": function})
    module = tf.Module()
    module.function = wrong
    target = str(folder / "nameless" / "1")
    tf.saved_model.save(module, target, signatures={"embed": wrong})
    module = old(model)
    tf.saved_model.save(
        module, str(folder / "old" / "1"), signatures={"serving_default": module.function}
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
