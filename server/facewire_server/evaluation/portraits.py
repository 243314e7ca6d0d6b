"""Faces of a report: cut out of the pictures again, small, and written into the page itself."""

import base64
from typing import Final

import cv2
import numpy as np

from facewire_server.errors import ServerError
from facewire_server.evaluation.samples import Sample
from facewire_server.pictures.decode import decode
from facewire_server.pictures.face_crop import face_crop
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits

__all__ = ["portrait"]

_SIDE_PX: Final = 120
"""Longest side of a face in the report, pixels. Chosen, not measured."""


def portrait(sample: Sample, limits: PictureLimits) -> str:
    """Returns a `data:` address of a JPEG of the face, or of the whole picture if none was found; "" if it cannot be read."""
    try:
        picture = Picture(sample.picture.path.read_bytes())
        image = decode(picture, read_header(picture, limits))
        height, width = image.shape[:2]
        whole = np.array([0, 0, width, height], np.float32)
        jpeg = face_crop(image, whole if sample.acquired is None else sample.acquired.box)
    except (OSError, ServerError, ValueError):
        return ""
    crop = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None  # `face_crop` has just encoded it
    scale = min(1.0, _SIDE_PX / max(crop.shape[:2]))
    small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
