"""Writes the model contracts of the models that can be chosen: their identity, calibration, and the canary's golden embeddings.

The golden embeddings are those of the published files: of FaceNet's frozen graphs in TensorFlow, from pixels that OpenCV enlarges, of the
ONNX file in ONNX Runtime. So they depend neither on the exporter nor on the rebuilt networks. Run in the models' environment, from the repository root:

    PYTHONPATH=serving:server python tools/make_other_contracts.py
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime
import tensorflow as tf
from numpy.typing import NDArray

from facewire_server.proof import canary
from facewire_serving import weights

__all__ = ["CALIBRATIONS", "FOLDER", "document", "main", "published"]

_Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

FOLDER: Final = Path(__file__).parents[1] / "server/facewire_server/model_contracts"

_FACENET_PX: Final = 160
"""Side of the picture that FaceNet's published graphs take."""

_FMRS: Final = (1e-2, 1e-3, 1e-4)

CALIBRATIONS: Final = {
    "facenet_vggface2": (0.0276, 0.1532, (0.406, 0.54, 0.64), (0.011, 0.0014, 0.0002)),
    "facenet_casia": (0.041, 0.1348, (0.385, 0.502, 0.588), (0.012, 0.0014, 0.00018)),
    "w600k_mbf": (0.0056, 0.0661, (0.166, 0.225, 0.281), (0.011, 0.0013, 0.00016)),
}
"""Mean and spread of the similarities of different people of LFW, 397,137 pairs; the similarities that shares of `_FMRS` of them reach, and
the upper ends of these shares' 95 % intervals, bootstrapped over people (`python -m bench.other_models`). Rarer ones are extrapolated."""


_PREPROCESSING: Final = {
    "facenet_vggface2": "facenet-rgb-mirrored-160-v1",
    "facenet_casia": "facenet-rgb-mirrored-160-v1",
    "w600k_mbf": "insightface-rgb-127-v1",
}


def published(name: str) -> _Embed:
    """Returns a function that embeds crops, (n, 112, 112, 3) uint8 RGB, with the published file of a servable.

    Its result is (n, 512) float32, of unit length.
    """
    file = weights.fetch(_weights(name), weights.DEFAULT_CACHE)
    embed = _frozen(file) if name in weights.FACENET else _onnx(file)

    def unit(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = np.concatenate([embed(crop) for crop in crops])
        found: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return found

    return unit


def _weights(name: str) -> weights.Weights:
    return weights.W600K_MBF if name == "w600k_mbf" else weights.FACENET[name]


def _frozen(file: Path) -> _Embed:
    graph = tf.compat.v1.GraphDef.FromString(file.read_bytes())
    network = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), []).prune(
        "input:0", "embeddings:0"
    )

    def embed(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        cut = crop[:, 3:-3].astype(np.float32)
        whole = cv2.copyMakeBorder(cut, 1, 19, 0, 0, cv2.BORDER_REFLECT_101)
        enlarged = cv2.resize(whole, (_FACENET_PX, _FACENET_PX))
        vector: NDArray[np.float32] = network(tf.constant((enlarged[None] - 127.5) / 128.0)).numpy()
        return vector

    return embed


def _onnx(file: Path) -> _Embed:
    session = onnxruntime.InferenceSession(file)

    def embed(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = (crop.astype(np.float32).transpose(2, 0, 1)[None] - 127.5) / 127.5
        vector: NDArray[np.float32] = session.run(None, {"input.1": pixels})[0]
        return vector

    return embed


def document(name: str) -> dict[str, object]:
    """Returns the contract of a servable."""
    file, vectors = _weights(name), published(name)(canary.crops())
    terms = {
        "weights_sha256": file.sha256,
        "dimension": vectors.shape[1],
        "alignment_template": "arcface-112-v1",
        "crop_px": canary.crops().shape[1],
        "resampling": "area-then-bilinear-v1",
        "preprocessing": _PREPROCESSING[name],
    }
    return {
        "contract": terms,
        "servable": name,
        **({} if file.is_commercial else {"non_commercial": file.license}),
        "calibration": _calibration(name),
        "canary": {"golden": [[float(f"{value:.7g}") for value in row] for row in vectors]},
    }


def _calibration(name: str) -> dict[str, object]:
    mean, spread, similarities, bounds = CALIBRATIONS[name]
    points = [
        {"fmr": fmr, "similarity": similarity, "fmr_bound": bound}
        for fmr, similarity, bound in zip(_FMRS, similarities, bounds, strict=True)
    ]
    return {"mean": mean, "spread": spread, "points": points, "measured_to_fmr": _FMRS[-1]}


def main() -> None:
    """Writes a file for each model into `FOLDER`."""
    for name in CALIBRATIONS:
        text = json.dumps(document(name), indent=2) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
