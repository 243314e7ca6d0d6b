"""The measurement of found pictures counts what is accepted and refused, and what dies."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from fakes.odd_pictures import encoded, jpeg_of_scans, scene


def test_each_file_is_accepted_or_refused_with_its_text(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(encoded(scene(), "JPEG"))
    (tmp_path / "same.jpg").write_bytes(encoded(scene(), "JPEG"))
    (tmp_path / "large.png").write_bytes(encoded(np.zeros((3000, 3000, 3), np.uint8), "PNG"))
    (tmp_path / "scans.jpg").write_bytes(jpeg_of_scans(64, 64, 5000))
    (tmp_path / "notes.txt").write_bytes(b"not looked at")
    done = subprocess.run(
        [sys.executable, "-m", "bench.wild", "--json", "--gate", "--pictures", str(tmp_path)],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert values["accepted"] == 2
    ((text, count),) = values["refused"].items()
    assert "more scans" in text
    assert count == 1
    assert values["peak_mb"] > 20, "of the large one"


def test_a_folder_without_pictures_is_said(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.wild", "--pictures", str(tmp_path)],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stderr.strip()) == (2, "bench: the folders hold no picture")
