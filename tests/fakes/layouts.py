"""One picture in every raw layout that cameras deliver, through every way that the client has for it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire import Image, ImageFormat

__all__ = ["layouts"]


def layouts(rgb: NDArray[np.uint8]) -> dict[str, Image]:
    """Returns the same picture many times, by what it is like.

    Args:
        rgb: (height, width, 3) uint8; both sides even.
    """
    height, width = rgb.shape[:2]
    size = {"width_px": width, "height_px": height}
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    planar = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    luma = planar[:height]
    cb, cr = planar[height:].reshape(2, height // 2, width // 2)
    # As a driver lays them out that rounds rows up to 64 bytes more, and planes to 16 rows more.
    stride, rows = width + 64, height + 16
    tall = np.pad(luma, ((0, 16), (0, 64)))
    padded_cb, padded_cr = (np.pad(plane, ((0, 8), (0, 32))) for plane in (cb, cr))
    odd_cb, odd_cr = (np.pad(plane, ((0, 8), (0, 48))) for plane in (cb, cr))
    padding = {"stride_bytes": stride, "plane_height_px": rows}

    def interleaved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.stack([first, second], -1).reshape(first.shape[0], -1)

    def joined(*planes: np.ndarray) -> bytes:
        return b"".join(plane.tobytes() for plane in planes)

    chroma = interleaved(cb, cr).repeat(2, axis=0).reshape(height, width)
    yuyv, uyvy = interleaved(luma, chroma), interleaved(chroma, luma)
    padded_yuyv = np.pad(yuyv, ((0, 0), (0, 64)))
    nv12, nv21, i420 = ImageFormat.NV12, ImageFormat.NV21, ImageFormat.I420
    return {
        "BGRA8": Image.from_array(np.dstack([bgr, bgr[:, :, :1]]), bgr=True),
        "BGRA8 of a part of an array": Image.from_array(
            np.pad(np.dstack([bgr, bgr[:, :, :1]]), ((0, 0), (0, 3), (0, 0)))[:, :-3], bgr=True
        ),
        "YUYV": Image(yuyv.tobytes(), ImageFormat.YUYV, **size),
        "YUYV with padding": Image(
            padded_yuyv.tobytes(), ImageFormat.YUYV, **size, stride_bytes=2 * width + 64
        ),
        "UYVY": Image(uyvy.tobytes(), ImageFormat.UYVY, **size),
        "NV12": Image.from_planes([luma, interleaved(cb, cr)], nv12),
        "NV12 with padding": Image(
            joined(tall, interleaved(padded_cb, padded_cr)), nv12, **size, **padding
        ),
        "NV21": Image.from_planes([luma, interleaved(cr, cb)], nv21),
        "NV21 with padding": Image(
            joined(tall, interleaved(padded_cr, padded_cb)), nv21, **size, **padding
        ),
        "I420": Image.from_planes([luma, cb, cr], i420),
        "I420 of padded arrays": Image.from_planes(
            [tall[:height, :width], *(plane[: height // 2, : width // 2] for plane in (padded_cb, padded_cr))],
            i420,
        ),
        "I420 with padding": Image(joined(tall, padded_cb, padded_cr), i420, **size, **padding),
        "I420 with chroma rows of their own length": Image(
            joined(tall, odd_cb, odd_cr),
            i420,
            **size,
            **padding,
            chroma_stride_bytes=width // 2 + 48,
        ),
    }  # fmt: skip
