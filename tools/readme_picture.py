"""Makes docs/recognized.png, the picture of the README: a recognized face, made unrecognizable.

    .venv/bin/python -m tools.readme_picture

The photograph is NASA's portrait of Eileen Collins (public domain, from scikit-image). She is enrolled from its
mirror image and recognized in the portrait by a real server; then every face is blurred, and
only then are the boxes painted.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

import facewire
from facewire.video import annotate
from harness.running import running_server

__all__ = ["blur", "main"]

PICTURE = Path(__file__).resolve().parents[1] / "docs/recognized.png"
"""The picture that is written."""

_CELLS = 7
"""Cells across a blurred face, and down: too few to recognize anyone. Chosen, not measured."""

_COLORS = 48
"""Colors of the picture: few make a small PNG. Chosen, not measured."""

_FACE_SCALE = 0.62
"""Half axes of the blurred ellipse in widths and heights of the face's box: 0.5 would fit into the box, and more covers
the outline of the face too. Chosen, not measured."""


def blur(picture: NDArray[np.uint8], box: facewire.Box) -> None:
    """Makes a face unrecognizable, in place, by reducing it to a few cells.

    Args:
        picture: (height, width, 3) uint8.
        box: the face, in pixels of `picture`.
    """
    center = round(box.x_px + box.width_px / 2), round(box.y_px + box.height_px / 2)
    axes = round(box.width_px * _FACE_SCALE), round(box.height_px * _FACE_SCALE)
    rows = slice(max(0, center[1] - axes[1]), center[1] + axes[1])
    columns = slice(max(0, center[0] - axes[0]), center[0] + axes[0])
    face = picture[rows, columns]
    size = face.shape[1], face.shape[0]
    cells = cv2.resize(face, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)
    mask = np.zeros(face.shape[:2], np.uint8)
    cv2.ellipse(mask, (size[0] // 2, size[1] // 2), axes, 0, 0, 360, 255, cv2.FILLED)
    face[mask > 0] = blurred[mask > 0]


def _fewer_colors(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the picture in few colors, which makes a small PNG."""
    pixels = picture.reshape(-1, 3).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    cv2.setRNGSeed(1)
    none = np.empty(0, np.int32)  # no labels to begin with
    _, nearest, colors = cv2.kmeans(pixels, _COLORS, none, criteria, 1, cv2.KMEANS_PP_CENTERS)
    few: NDArray[np.uint8] = colors.astype(np.uint8)[nearest.ravel()].reshape(picture.shape)
    return few


def main() -> None:
    """Enrolls, recognizes, blurs, paints and writes."""
    portrait: NDArray[np.uint8] = np.ascontiguousarray(data.astronaut())
    with running_server() as server, facewire.Client(server.address) as client:
        mirrored = np.ascontiguousarray(portrait[:, ::-1])
        client.enroll("eileen-collins", mirrored, display_name="Eileen Collins")
        faces = client.recognize(portrait).faces
    picture = portrait.copy()
    for face in faces:
        blur(picture, face.box)
    drawn = annotate(_fewer_colors(picture), faces)
    cv2.imwrite(str(PICTURE), drawn[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
