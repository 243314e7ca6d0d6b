"""The models under test: the ones that `make models` makes, brought up to date."""

import os
from pathlib import Path

# Before anything imports TensorFlow: it announces oneDNN on standard error otherwise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import openvino
import pytest

from facewire_serving import models, weights

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cache() -> Path:
    return weights.DEFAULT_CACHE


@pytest.fixture(scope="session")
def model_folder():
    """Returns the version folder of a servable by its name."""

    def build(name: str) -> Path:
        flags = ["--accept-non-commercial"] if name == "w600k_mbf" else []
        assert models.main(["--out", str(ROOT / "models"), "--only", name, *flags]) == 0
        return ROOT / "models" / name / "1"

    return build


@pytest.fixture(scope="session")
def in_openvino():
    """Compiles a model file or folder for OpenVINO, float32."""
    core = openvino.Core()

    def compile_model(path: Path):
        return core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    return compile_model
