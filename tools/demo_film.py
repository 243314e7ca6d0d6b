"""The default pictures and film of `make demo`: NASA's portrait of Eileen Collins, and a film made from it.

The picture is in the public domain. It is taken out of the wheel of scikit-image, by its hash.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire.video import FilmWriter
from facewire_serving.carrier import CarriedFile, Carrier, fetch

__all__ = ["DEFAULT_CACHE", "FRAMES_PER_S", "PICTURE", "make"]

DEFAULT_CACHE: Final = Path.home() / ".cache" / "facewire" / "pictures"
"""The folder that keeps the downloaded picture."""

PICTURE: Final = CarriedFile(
    name="eileen_collins.png",
    size_bytes=791_555,
    sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    carrier=Carrier("scikit-image", "0.26.0", 13_788_448),
    path="skimage/data/astronaut.png",
)
"""512 x 512 pixels; one face, 90 px wide."""

FRAMES_PER_S: Final = 12
"""Frames a second of the film. Chosen, not measured."""

_SIZE_PX: Final = (960, 540)
"""Width and height of the film. Chosen, not measured."""

_VIEWS: Final = (
    (0.0, 415, 75, 180),  # the model of the shuttle
    (1.5, 410, 80, 190),
    (3.0, 256, 150, 500),  # the astronaut
    (4.5, 226, 125, 300),
    (6.0, 220, 120, 290),
    (7.5, 250, 400, 290),  # her suit and her helmet, without her face
    (10.5, 330, 410, 260),
    (12.0, 256, 160, 510),  # the astronaut again
    (13.5, 256, 155, 490),
)
"""The parts of the picture that the film shows: seconds, and center x, center y and width in pixels of the picture.
Chosen, not measured: she is out of view for seconds once, which is long for frames and short for a visit."""


def make(folder: Path, cache: Path = DEFAULT_CACHE) -> tuple[Path, Path]:
    """Writes `people/eileen_collins/1.png`, mirrored, and `door.mp4` into a folder.

    Returns:
        The folder of people, and the film.

    Raises:
        FetchError: the picture cannot be downloaded.
        OSError: the folder cannot be written.
    """
    picture = cv2.imread(str(fetch(PICTURE, cache)))
    assert picture is not None, "its hash was right"
    person = folder / "people" / "eileen_collins"
    person.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(person / "1.png"), cv2.flip(picture, 1))
    colors = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    clip = folder / "door.mp4"
    with FilmWriter(clip, FRAMES_PER_S) as film:
        for number in range(round(_VIEWS[-1][0] * FRAMES_PER_S) + 1):
            at_s = number / FRAMES_PER_S
            film.write(_view(colors, at_s), at_s)
    return person.parent, clip


def _view(picture: NDArray[np.uint8], at_s: float) -> NDArray[np.uint8]:
    """One frame, (540, 960, 3) uint8 RGB."""
    times = [view[0] for view in _VIEWS]
    after = min(int(np.searchsorted(times, at_s, side="right")), len(_VIEWS) - 1)
    one, other = np.array(_VIEWS[after - 1]), np.array(_VIEWS[after])
    share = np.clip((at_s - one[0]) / (other[0] - one[0]), 0.0, 1.0)
    share = share * share * (3 - 2 * share)  # starts and ends slowly
    _, x, y, width = one + (other - one) * share
    scale = _SIZE_PX[0] / width
    move = np.array(
        [[scale, 0, _SIZE_PX[0] / 2 - scale * x], [0, scale, _SIZE_PX[1] / 2 - scale * y]]
    )
    frame = cv2.warpAffine(
        picture, move, _SIZE_PX, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return frame.astype(np.uint8, copy=False)
