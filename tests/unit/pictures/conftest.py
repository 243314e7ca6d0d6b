"""Decodes as the server does."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits


@pytest.fixture
def shown() -> Callable[[bytes], NDArray[np.uint8]]:
    """From a file to what is shown."""

    def shown(data: bytes) -> NDArray[np.uint8]:
        picture = Picture(data)
        return decode(picture, read_header(picture, PictureLimits(1 << 24, 50_000_000)))

    return shown
