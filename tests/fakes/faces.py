"""Faces without a model, for `fakes.server`: the pictures themselves are compared.

A face is a picture that is not of one color; its "embedding" is the picture itself, shrunk to 8x8 gray
levels, so that a picture, its re-encoding and its resizing are mated.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np

from facewire.v1 import face_pb2
from fakes.gallery_service import Refusal

__all__ = ["Embedded", "embed"]


class Embedded(NamedTuple):
    """What is in a picture.

    Attributes:
        probe: (64,) float, of unit length if there is a face.
        face: the face, or None.
        width_px: of the picture.
        height_px: of the picture.
    """

    probe: np.ndarray
    face: face_pb2.Face | None
    width_px: int
    height_px: int


def embed(image: face_pb2.Image, *, max_frame_bytes: int) -> Embedded:
    """Reads a picture; raises Refusal as the server does."""
    if not image.data:
        raise Refusal("IMAGE_EMPTY", "the picture has no bytes", field="image")
    if len(image.data) > max_frame_bytes:
        raise Refusal("IMAGE_TOO_MANY_BYTES", "too many bytes", field="image")
    picture = _decode(image)
    if picture is None:
        raise Refusal("IMAGE_UNDECODABLE", "not a picture", field="image")
    height_px, width_px = picture.shape
    small = cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA).astype(float).ravel()
    small -= small.mean()
    norm = float(np.linalg.norm(small))
    if norm < 1:
        return Embedded(small, None, width_px, height_px)
    return Embedded(small / norm, _face(width_px, height_px), width_px, height_px)


def _decode(image: face_pb2.Image) -> Any:
    if image.format in (face_pb2.IMAGE_FORMAT_UNSPECIFIED, face_pb2.IMAGE_FORMAT_JPEG):
        return cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    channels = 1 if image.format == face_pb2.IMAGE_FORMAT_GRAY8 else 3
    if len(image.data) != image.width_px * image.height_px * channels:
        raise Refusal("IMAGE_LAYOUT", "size and bytes disagree", field="image")
    raw = np.frombuffer(image.data, np.uint8).reshape(image.height_px, image.width_px, channels)
    if channels == 1:
        return raw[:, :, 0]
    rgb = image.format == face_pb2.IMAGE_FORMAT_RGB8
    return cv2.cvtColor(raw, cv2.COLOR_RGB2GRAY if rgb else cv2.COLOR_BGR2GRAY)


def _face(width_px: int, height_px: int) -> face_pb2.Face:
    return face_pb2.Face(
        box=face_pb2.Box(x_px=1, y_px=2, width_px=width_px - 2, height_px=height_px - 4),
        landmarks=face_pb2.Landmarks(left_eye=face_pb2.Point(x_px=3, y_px=4)),
        detection_score=0.99,
        quality=face_pb2.Quality(inter_eye_px=width_px / 3, sharpness=100, brightness=128),
    )
