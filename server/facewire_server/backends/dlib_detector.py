"""dlib's detector of frontal faces (HOG) behind the port of the `mtcnn` servable's default signature.

It proposes boxes; the servable's second signature, `follow`, which is O-Net, confirms each and places its five points. dlib's own predictors are not
in its wheel: that of five points has no mouth, and that of 68 was trained on 300-W, whose pictures may not be used commercially.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.merge import merged
from facewire_server.pipeline.ports import Model
from facewire_server.types import Rgb

__all__ = ["DLIB_MIN_FACE_PX", "DlibModel"]

DLIB_MIN_FACE_PX: Final = 40
"""Side of the smallest face that is found, pixels of the canvas: half of dlib's window of 80 (dlib, frontal_face_detector.h), since a canvas is doubled.
Doubled twice, for 20, it took 3.5 to 4 times the time, and dlib then missed the one face of the proof's drawing (2026-11-27)."""

_DOUBLINGS: Final = 1
"""Times that a canvas is doubled."""

_LARGER: Final = 1.2
"""Side of O-Net's window in sides of dlib's box, which ends at the brows. Measured: the IoU with the drawing's known box is .88, .90, .93, .93 and
.90 with 1, 1.1, 1.2, 1.3 and 1.4; with the cascade's boxes of 10 faces of scenes .938, .941, .944, .936 and .922, of which two are lost with 1.4."""

_INPUTS: Final = {"image", "min_face_px", "thresholds"}


class DlibModel:
    """Proposals of dlib, confirmed by O-Net.

    Proposals are made one canvas at a time: the largest takes some 150 MB. No picture takes more, however large, since canvases are bounded.
    """

    def __init__(self, refine: Model) -> None:
        """Loads the detector, which is part of dlib.

        Args:
            refine: the `follow` signature of `mtcnn`.

        Raises:
            ModelUnavailable: dlib is not installed.
        """
        try:
            import dlib
        except ImportError as error:
            raise ModelUnavailable(
                "the detector is dlib, which is not installed: pip install 'facewire-server[dlib]'"
            ) from error
        self._propose = dlib.get_frontal_face_detector()
        self._follower = Follower(refine)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dlib")

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """Finds the faces of a canvas, as the servable does.

        Args:
            inputs: `image`, (h, w, 3) uint8 RGB; `thresholds`, of which the last one is O-Net's; the others, and
                `min_face_px`, belong to the cascade's first steps, and are not used.

        Returns:
            `boxes`, `scores` and `landmarks`, highest score first.

        Raises:
            ModelUnavailable: the inputs are not these, or O-Net does not answer.
        """
        if inputs.keys() != _INPUTS:
            raise ModelUnavailable(f"the model takes {sorted(_INPUTS)}, not {sorted(inputs)}")
        image = np.ascontiguousarray(inputs["image"], np.uint8)
        boxes = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._proposed, image
        )
        faces = await self._follower.follow(image, boxes)
        confirmed = faces[faces.scores >= inputs["thresholds"][-1]]
        found = merged([confirmed], max(1, len(confirmed)))  # two proposals may be one face
        return {"boxes": found.boxes, "scores": found.scores, "landmarks": found.landmarks}

    def close(self) -> None:
        """Waits for the canvas in work; later ones raise RuntimeError."""
        self._thread.shutdown()

    def _proposed(self, image: Rgb) -> NDArray[np.float32]:
        """Returns the windows of what dlib finds: (n, 4) float32 x1, y1, x2, y2."""
        found = self._propose(image, _DOUBLINGS)
        boxes = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box in found]
        low, high = np.hsplit(np.array(boxes, np.float32).reshape(-1, 4), 2)
        middle, half = (low + high) / 2, (high - low) / 2 * np.float32(_LARGER)
        return np.hstack([middle - half, middle + half])
