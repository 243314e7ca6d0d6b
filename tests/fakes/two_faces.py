"""A picture with a small dark face and a large light one, and a detector's model that finds them."""

import asyncio
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facewire_server.types import Picture

__all__ = ["LARGE", "SHARES", "SIZE_PX", "SMALL", "TwoFaces", "two_faces"]

SIZE_PX = (800, 600)
SMALL, LARGE = (0.1, 0.2, 0.2, 0.4), (0.55, 0.25, 0.85, 0.75)
"""Boxes as shares of the picture's sides: x1, y1, x2, y2; the small one in the dark half, the large one
in the light one."""

SHARES = np.array([(0.3, 0.35), (0.7, 0.35), (0.5, 0.5), (0.35, 0.75), (0.65, 0.75)], np.float32)
"""Eyes, nose and corners of the mouth as shares of a box's sides."""


class TwoFaces:
    """Finds the small face with a score of 0.99 and the large one with 0.95, once its gate is open.

    Attributes:
        begun: predictions begun.
        gate: closed (cleared) by a test to keep predictions waiting.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.begun += 1
        await self.gate.wait()
        height, width, _ = inputs["image"].shape
        boxes = np.array([SMALL, LARGE], np.float32) * (width, height, width, height)
        sides = boxes[:, None, 2:] - boxes[:, None, :2]
        return {
            "boxes": boxes.astype(np.float32),
            "scores": np.array([0.99, 0.95], np.float32),
            "landmarks": (boxes[:, None, :2] + SHARES * sides).astype(np.float32),
        }


def two_faces(
    kind: str = "PNG", size: tuple[int, int] = SIZE_PX, *, dark: int = 40, light: int = 200
) -> Picture:
    """A picture that is dark on the left and light on the right."""
    pixels = np.full((size[1], size[0], 3), dark, np.uint8)
    pixels[:, size[0] // 2 :] = light
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return Picture(file.getvalue())
