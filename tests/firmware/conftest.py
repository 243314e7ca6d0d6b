"""What the tests of firmware clients share: the C++ client, built once, and a folder of pictures."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.server import TRACKED, FakeServer
from firmware import filmed
from harness import cpp_build


@pytest.fixture(scope="session")
def cpp() -> Path:
    """The folder in which the C++ client is built; a test that asks for it is skipped without a compiler."""
    if lacked := cpp_build.missing():
        pytest.skip(f"needs {lacked}: the packages of requirements/debian.list")
    return cpp_build.build()


@pytest.fixture(scope="session")
def camera(cpp: Path) -> Path:
    """The program `camera`."""
    return cpp / "camera"


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with FakeServer(features=TRACKED) as server:
        yield server


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory, astronaut: NDArray[np.uint8]) -> Path:
    """A folder of twelve small JPEGs."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:02}.jpg"), astronaut[:64, number : number + 64, ::-1])
    return folder


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of JPEGs: four seconds of one person."""
    return filmed.written(tmp_path_factory.mktemp("film"))
