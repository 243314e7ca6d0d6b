"""Makes what tools/images_test.sh shows to the server: one person's pictures, a film of her, and pictures beyond the limits.

python tests/containers/pictures.py FOLDER
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from skimage import data

FRAMES = 10
"""Frames of the film. Chosen, not measured: two seconds."""

FRAMES_PER_S = 5.0
"""Of the film."""

TOO_MANY_PIXELS = (7000, 8000)
"""Height and width: 56 million, where the server takes 50 by default."""

TOO_MANY_BYTES = 17 << 20
"""Of a file, where the server takes 16 MiB by default."""


def main() -> None:
    folder = Path(sys.argv[1])
    picture = cv2.cvtColor(
        data.astronaut(), cv2.COLOR_RGB2BGR
    )  # Eileen Collins, NASA, public domain
    probe = cv2.resize(picture, None, fx=0.8, fy=0.8)
    people = folder / "people" / "eileen"
    people.mkdir(parents=True)
    cv2.imwrite(str(people / "1.jpg"), picture)
    cv2.imwrite(str(people / "2.jpg"), (picture * 0.8).astype(np.uint8))
    cv2.imwrite(str(folder / "probe.jpg"), probe)

    height, width = probe.shape[:2]
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    film = cv2.VideoWriter(str(folder / "film.avi"), codec, FRAMES_PER_S, (width, height))
    for _ in range(FRAMES):
        film.write(probe)
    film.release()

    cv2.imwrite(str(folder / "pixels.png"), np.zeros(TOO_MANY_PIXELS, np.uint8))
    file = (folder / "probe.jpg").read_bytes()
    (folder / "bytes.jpg").write_bytes(file.ljust(TOO_MANY_BYTES, b"\0"))


if __name__ == "__main__":
    main()
