"""A server that cannot be what its settings say ends at once, and says which setting."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (
            ("--embedder-address", "emb-a:8500,emb-b:8500"),
            "embedder_address is 'emb-a:8500,emb-b:8500': several replicas are IP addresses",
        ),
        (("--detector-address", "mtcnn"), "detector_address is 'mtcnn': 'mtcnn' is not host:port"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(
    tmp_path: Path, flags: tuple[str, str], reason: str
) -> None:
    command = [sys.executable, "-m", "facewire_server", "run", "--data", str(tmp_path), *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert reason in done.stderr
