"""Requests that TensorFlow Serving runs before it calls a version available.

The first predictions of a graph are slow, since kernels are chosen and memory is allocated then; without these
records, they would be a camera's first frames after every roll-forward. The format is TensorFlow
Serving's own: `assets.extra/tf_serving_warmup_requests`, a TFRecord file of `PredictionLog`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

from facewire_serving import minifasnet
from facewire_serving.embedder import CROP_PX

__all__ = ["WARM_UP", "read", "write"]

WARM_UP: Final = Path("assets.extra") / "tf_serving_warmup_requests"
"""Path of the records in a version folder."""

_CANVASES: Final = ((320, 569), (640, 1138))
"""Height and width that the server sends for a stream and for a single picture of 16:9."""

_BATCHES: Final = (1, 4, 16)
"""Numbers of faces; the server sends at most 16 at once."""

_FOLLOWED: Final = (1, 2, 4)
"""Numbers of faces that are followed: of most cameras."""

_SIDES_PX: Final = {"presentation_attack": minifasnet.SIDE_PX}
"""Sides of the pictures that servables take which are none of embeddings."""

_NOISE_BYTES: Final = 4099
"""A prime, so that the noise does not repeat in columns."""


def write(directory: Path, name: str) -> None:
    """Writes the records of a servable into its version folder.

    Args:
        directory: the version folder.
        name: of the servable.
    """
    path = directory / WARM_UP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as records:
        for signature, inputs in (
            _mtcnn() if name == "mtcnn" else _faces(_SIDES_PX.get(name, CROP_PX))
        ):
            request = PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key, array in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
            log = PredictionLog(predict_log=PredictLog(request=request))
            records.write(log.SerializeToString(deterministic=True))


def read(directory: Path) -> Iterator[tuple[str, dict[str, NDArray]]]:
    """The signature and the inputs of each record of a version folder; none if it has no records."""
    path = directory / WARM_UP
    if not path.is_file():
        return
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = PredictionLog.FromString(record).predict_log.request
        inputs = {key: tf.make_ndarray(tensor) for key, tensor in request.inputs.items()}
        yield request.model_spec.signature_name, inputs


def _mtcnn() -> Iterator[tuple[str, Mapping[str, Any]]]:
    noise = np.frombuffer(hashlib.shake_128(b"warm up").digest(_NOISE_BYTES), np.uint8)
    for height, width in _CANVASES:
        yield (
            "serving_default",
            {
                # Noise at low thresholds sends proposals through all three networks. It repeats, so
                # that the graph's archive stays small.
                "image": np.resize(noise, (height, width, 3)),
                "min_face_px": np.array(20, np.float32),
                "thresholds": np.array([0.2, 0.0, 0.0], np.float32),
            },
        )
    image = np.resize(noise, (*_CANVASES[0], 3))
    for count in _FOLLOWED:
        windows = np.tile(np.array([200, 100, 280, 200], np.float32), (count, 1))
        yield "follow", {"image": image, "boxes": windows}


def _faces(side_px: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for count in _BATCHES:
        yield "serving_default", {"faces": np.full((count, side_px, side_px, 3), 127, np.uint8)}
