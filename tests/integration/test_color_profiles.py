"""A picture whose colors are stored by a wide profile is a little pale, since the profile is ignored: the face is known by it."""

import io
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import facewire
from facewire import Outcome

Primaries = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

SRGB: Final[Primaries] = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
WIDE: Final[dict[str, Primaries]] = {
    "Display P3, as phones write": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB (1998)": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "BT.2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
"""Chromaticities of red, green and blue; white is D65 in all of them."""

D65: Final = (0.3127, 0.3290)


def to_xyz(primaries: Primaries) -> NDArray[np.float64]:
    """The matrix from linear RGB to XYZ: SMPTE RP 177."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    x, y = D65
    return columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y])


def stored_in(primaries: Primaries, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same colors as numbers of another space; its curve is taken to be that of sRGB."""
    values = rgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    wide = linear @ (np.linalg.inv(to_xyz(primaries)) @ to_xyz(SRGB)).T
    wide = np.clip(wide, 0, 1)
    curved = np.where(wide <= 0.0031308, wide * 12.92, 1.055 * wide ** (1 / 2.4) - 0.055)
    return np.round(curved * 255).astype(np.uint8)


@pytest.mark.parametrize("name", WIDE)
def test_a_face_is_known_although_its_profile_is_ignored(
    client: facewire.Client, gallery: str, astronaut: NDArray[np.uint8], name: str
) -> None:
    portrait = np.ascontiguousarray(astronaut[:256, 96:352])
    client.enroll("ada", portrait, gallery=gallery)
    pale = stored_in(WIDE[name], portrait)
    assert np.abs(pale.astype(int) - portrait).max() > 20, "the numbers are others"
    file = io.BytesIO()
    Image.fromarray(pale).save(file, "JPEG", quality=95)
    (face,) = client.recognize(file.getvalue(), gallery=gallery).faces
    assert face.decision is not None
    assert face.decision.outcome is Outcome.KNOWN
    assert face.decision.similarity > 0.9
