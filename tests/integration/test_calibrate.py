"""`facewire-server calibrate` in a real process: what it refuses. tests/unit/app/test_calibrate_command.py has what it prints."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.python import PATHS

pytestmark = pytest.mark.timeout(300)


def calibrate(models: Path, labels: Path, *flags: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-W", "error", "-m", "facewire_server", "calibrate", str(labels)),
            *("--models", str(models), "--threads", "2", *map(str, flags)),
        ],
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def test_too_few_people_are_refused_with_the_number_that_is_needed(
    models: Path, portrait: NDArray[np.uint8], tmp_path: Path
) -> None:
    folder = tmp_path / "people" / "ada"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "0.jpg"), portrait[..., ::-1])
    done = calibrate(models, folder.parent)
    assert (done.returncode, done.stdout) == (2, "")
    assert "people with a picture that may be enrolled: 1; a calibration needs 200" in done.stderr
    assert "Traceback" not in done.stderr


def test_labels_that_cannot_be_used_are_refused(models: Path, tmp_path: Path) -> None:
    done = calibrate(models, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
