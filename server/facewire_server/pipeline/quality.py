"""Measures how well each face can be recognized."""

import cv2
import numpy as np

from facewire_server.types import Faces, Quality, Rgb

__all__ = ["assess"]


def assess(faces: Faces, crops: Rgb) -> list[Quality]:
    """Measures size, sharpness and brightness of each face.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in
    brightfield microscopy", ICPR 2000) of the crop's luma: taken on the aligned crop, it is
    comparable between faces of any size.

    Args:
        faces: n faces.
        crops: (n, 112, 112, 3) uint8 RGB, their aligned crops.
    """
    eyes = faces.landmarks[:, 1] - faces.landmarks[:, 0]
    qualities = []
    for distance, crop in zip(np.hypot(eyes[:, 0], eyes[:, 1]), crops, strict=True):
        luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        sharpness = cv2.Laplacian(luma, cv2.CV_32F).var()
        qualities.append(Quality(float(distance), float(sharpness), float(luma.mean())))
    return qualities
