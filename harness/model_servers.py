"""Real model server processes: the local stand-in for TensorFlow Serving, in TensorFlow's environment."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness import REPOSITORY
from harness.running import ServerFailed

__all__ = ["MODELS_PYTHON", "ModelServer", "free_port", "model_servers"]

MODELS_PYTHON: Final = REPOSITORY / ".venv-models/bin/python"
"""The interpreter that has TensorFlow; `make environments` makes it."""

_READY: Final = "PredictionService on "
_START_TIMEOUT_S: Final = 110.0


class ModelServer:
    """One process that serves one model; it can be killed, stopped and started again.

    Attributes:
        name: of the model.
        address: "127.0.0.1:PORT", the same after a restart.
    """

    def __init__(self, name: str, folder: Path, flags: tuple[str, ...], log: Path) -> None:
        self.name = name
        self.address = f"127.0.0.1:{free_port()}"
        self._folder = folder
        self._flags = flags
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self, folder: Path | None = None) -> None:
        """Starts the process, and does not wait for it.

        Args:
            folder: another folder of version folders than before.
        """
        self._folder = folder or self._folder
        command = [
            *(str(MODELS_PYTHON), "-m", "facewire_serving.model_server"),
            f"--port={self.address.rpartition(':')[2]}",
            f"--model_name={self.name}",
            f"--model_base_path={self._folder}",
            *self._flags,
        ]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "serving")}
        with self._log.open("ab") as stderr:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
            )

    def wait_until_ready(self) -> None:
        """Waits until the model is loaded and the port takes calls.

        Raises:
            ServerFailed: it ends, or takes too long.
        """
        process = self._running()
        assert process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            said = process.stdout.readline() if ready.select(_START_TIMEOUT_S) else ""
        if not said.startswith(_READY):
            raise ServerFailed(
                f"the model server of {self.name} did not start; the end of its log:\n"
                + self._log.read_text(errors="replace")[-3000:]
            )

    def kill(self) -> None:
        """Ends the process as a power cut would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def hang(self) -> None:
        """Stops the process: its port stays open, and no call to it is answered."""
        self._running().send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continues a process that hangs."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise ServerFailed(f"the model server of {self.name} is not running")
        return self._process


@contextlib.contextmanager
def model_servers(
    *served: str | tuple[str, Path], flags: tuple[str, ...] = ()
) -> Iterator[list[ModelServer]]:
    """Runs one process for each model until the block ends; they start concurrently.

    Args:
        *served: name of each model, or its name and the folder of its version folders.
        flags: of `facewire_serving.model_server`, for all.

    Raises:
        ServerFailed: one does not start.
    """
    if not MODELS_PYTHON.is_file():
        raise ServerFailed("there is no .venv-models: run `make environments`")
    with (
        tempfile.TemporaryDirectory(prefix="facewire-") as scratch,
        contextlib.ExitStack() as stack,
    ):
        servers = []
        for index, one in enumerate(served):
            name, folder = (one, REPOSITORY / "models" / one) if isinstance(one, str) else one
            server = ModelServer(name, folder, flags, Path(scratch) / str(index))
            stack.callback(server.kill)
            server.start()
            servers.append(server)
        for server in servers:
            server.wait_until_ready()
        yield servers


def free_port() -> int:
    """Returns a port on which no process listened a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
