"""Shared by tests and measurements: real server and model server processes, a stream, the pictures.

They run from a checkout, so its packages are found without being installed.
"""

import sys
from pathlib import Path
from typing import Final

__all__ = ["REPOSITORY"]

REPOSITORY: Final = Path(__file__).resolve().parent.parent

# First in the path, so that this checkout is measured, whatever is installed.
sys.path[:0] = [str(REPOSITORY / room) for room in ("server", "clients/python", "serving")]
