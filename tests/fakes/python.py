"""Other Python processes, which import what this one can."""

import os
import subprocess
import sys

__all__ = ["PATHS", "run_module", "run_python"]

PATHS = os.pathsep.join(path for path in sys.path if path)


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the code to its end."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": PATHS}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def run_module(
    module: str, *arguments: object, timeout_s: float = 300
) -> subprocess.CompletedProcess[str]:
    """Runs a module as a command, to its end."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": PATHS}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=timeout_s
    )
