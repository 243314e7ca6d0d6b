"""Makes pictures poor in the ways that cameras do: what enrollment must refuse."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "Kind"]

Pixels: TypeAlias = NDArray[np.uint8]
Kind: TypeAlias = Callable[[Pixels, NDArray[np.float32]], Pixels]
"""From a picture, (h, w, 3) uint8 BGR, and the (5, 2) landmarks of its face, to a poorer picture."""

_SMEAR_PX: Final = 21
"""A head that turns, in a picture of 250 px whose eyes are 42 px apart."""


def _smear(pixels: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    return cv2.filter2D(pixels, -1, kernel / kernel.sum()).astype(np.uint8)


def _along(side_px: int) -> NDArray[np.float32]:
    kernel = np.zeros((side_px, side_px), np.float32)
    kernel[side_px // 2] = 1
    return kernel


def _noisy(pixels: Pixels, gain: float, offset: float = 0.0) -> Pixels:
    noise = np.random.default_rng(1).normal(0, 1.5, pixels.shape)
    return np.clip(pixels * gain + offset + noise, 0, 255).astype(np.uint8)


def _dark_glasses(pixels: Pixels, landmarks: NDArray[np.float32]) -> Pixels:
    covered = pixels.copy()
    left, right = landmarks[:2].astype(np.float64)
    apart = right - left
    width = float(np.hypot(*apart))
    tilt = float(np.degrees(np.arctan2(apart[1], apart[0])))
    for eye in (left, right):
        center = round(float(eye[0])), round(float(eye[1]))
        axes = round(0.40 * width), round(0.28 * width)
        cv2.ellipse(covered, center, axes, tilt, 0, 360, (18, 16, 15), -1, cv2.LINE_AA)
    return covered


def _medical_mask(pixels: Pixels, landmarks: NDArray[np.float32]) -> Pixels:
    covered = pixels.copy()
    left, right, nose, left_mouth, right_mouth = landmarks.astype(np.float64)
    across, down = right - left, (left_mouth + right_mouth) / 2 - (left + right) / 2
    corners = [
        nose - 0.75 * across - 0.1 * down,
        nose + 0.75 * across - 0.1 * down,
        nose + 0.6 * across + 1.1 * down,
        nose - 0.6 * across + 1.1 * down,
    ]
    outline = np.round(np.array(corners)).astype(np.int32)
    cv2.fillPoly(covered, [outline], (214, 196, 170), cv2.LINE_AA)
    return covered


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded: Any = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    return np.asarray(decoded, np.uint8)


KINDS: Final[dict[str, Kind]] = {
    "clean": lambda pixels, _: pixels,
    "smear 11 px": lambda pixels, _: _smear(pixels, _along(11)),
    "smear 21 px": lambda pixels, _: _smear(pixels, _along(_SMEAR_PX)),
    "smear diagonal 15 px": lambda pixels, _: _smear(pixels, np.eye(15, dtype=np.float32)),
    "blur sigma 1.5": lambda pixels, _: cv2.GaussianBlur(pixels, (0, 0), 1.5).astype(np.uint8),
    "blur sigma 3": lambda pixels, _: cv2.GaussianBlur(pixels, (0, 0), 3).astype(np.uint8),
    "upside down": lambda pixels, _: np.ascontiguousarray(pixels[::-1, ::-1]),
    "dark x 0.2": lambda pixels, _: _noisy(pixels, 0.2),
    "dark x 0.1": lambda pixels, _: _noisy(pixels, 0.1),
    "bright x 2.6": lambda pixels, _: _noisy(pixels, 2.6, 20.0),
    "dark glasses": _dark_glasses,
    "medical mask": _medical_mask,
    "jpeg quality 10": lambda pixels, _: _jpeg(pixels, 10),
}
"""By name; `clean` changes nothing."""
