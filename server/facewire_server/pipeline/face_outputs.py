"""The outputs that both signatures of the `mtcnn` servable have, as faces."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.types import Faces

__all__ = ["faces_of"]


def faces_of(outputs: Mapping[str, NDArray]) -> Faces:
    """Joins `boxes`, `scores` and `landmarks`, in the order of the rows.

    Raises:
        ModelUnavailable: one is missing, has another shape than `Faces` has, or is not finite.
    """
    try:
        boxes, scores, landmarks = (outputs[name] for name in ("boxes", "scores", "landmarks"))
    except KeyError as missing:
        raise ModelUnavailable(f"the detector's answer lacks {missing}") from missing
    count = len(scores)
    if boxes.shape != (count, 4) or landmarks.shape != (count, 5, 2) or scores.shape != (count,):
        raise ModelUnavailable("the detector's answer has unexpected shapes")
    if not all(np.isfinite(array).all() for array in (boxes, scores, landmarks)):
        raise ModelUnavailable("the detector's answer is not finite")
    return Faces(boxes, scores, landmarks)
