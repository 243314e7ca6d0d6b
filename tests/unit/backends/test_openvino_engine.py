"""What the embedded engine cannot run is refused with what to do about it; a failure is no crash."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facewire_server.backends.openvino_engine import OpenVinoModel
from facewire_server.errors import ModelUnavailable


def test_a_folder_without_a_version_names_the_command_that_builds_the_models(
    tmp_path: Path,
) -> None:
    with pytest.raises(ModelUnavailable, match=f"run `facewire-models --out {tmp_path}`"):
        OpenVinoModel(tmp_path / "embedding", threads=1)


def test_what_is_no_saved_model_is_refused_by_its_path(tmp_path: Path) -> None:
    version = tmp_path / "embedding" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(ModelUnavailable, match=r"OpenVINO cannot run the SavedModel in .*/1"):
        OpenVinoModel(tmp_path / "embedding", threads=1)


async def test_pictures_of_another_size_fail_and_the_next_call_works(models: Path) -> None:
    with closing(OpenVinoModel(models / "embedding", threads=1)) as engine:
        with pytest.raises(ModelUnavailable, match="the embedded engine failed"):
            await engine.predict({"faces": np.zeros((1, 90, 112, 3), np.uint8)})
        embeddings = await engine.predict({"faces": np.zeros((1, 112, 112, 3), np.uint8)})
    assert embeddings["embeddings"].shape == (1, 128)
