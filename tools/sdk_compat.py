"""Runs the client's tests in another environment, against a server of this one.

    python -m tools.sdk_compat PYTHON [PYTEST ARGUMENT...]

PYTHON is that of an environment with the oldest grpcio, protobuf, numpy, OpenCV, typer and rich that
`clients/python/pyproject.toml` allows; the server itself would not run in it.
"""

import os
import subprocess
import sys

from harness import REPOSITORY
from harness.running import running_server

__all__ = ["main"]

_CLI = (
    "test_cli.py",
    "test_cli_enroll.py",
    "test_cli_films.py",
    "test_cli_interrupts.py",
    "test_cli_watch.py",
)
_TESTS = ("tests/unit/client", *(f"tests/integration/{each}" for each in ("test_client.py", *_CLI)))


def main(python: str, *arguments: str) -> int:
    """Returns pytest's exit status."""
    with running_server(frame_timeout_s=60) as server:  # of a busy machine
        environment = os.environ | {"FACEWIRE_TEST_SERVER": server.address}
        command = [python, "-m", "pytest", *_TESTS, *arguments]
        return subprocess.run(command, cwd=REPOSITORY, env=environment).returncode


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
