"""A real server process, from its start to its clean end."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import grpc

from harness import REPOSITORY

__all__ = [
    "Memory",
    "RunningServer",
    "ServerFailed",
    "own_bytes",
    "running_checkout",
    "running_server",
]

_READY: Final = "facewire.v1 on "
_START_TIMEOUT_S: Final = 90.0
_STOP_TIMEOUT_S: Final = 30.0
_LARGEST_MESSAGE: Final = 64 << 20


class ServerFailed(Exception):
    """The server did not start, or did not end cleanly; the text ends with its log."""


def own_bytes(pid: int) -> int:
    """Returns the memory that a process has written (RssAnon), bytes.

    `VmRSS`, and what is not shared, count pages of libraries, too, which are read the more of them the longer a process runs, and which
    count more when another process that shares them ends.

    Raises:
        RuntimeError: the system does not count the pages of a process by kind.
    """
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "RssAnon":
            return int(rest.split()[0]) * 1024
    raise RuntimeError("this system does not count the pages of a process by kind")


class Memory(NamedTuple):
    """Memory of a process, bytes.

    Attributes:
        pss: proportional set size: shared pages count by their share.
        uss: unique set size: what would be freed if the process ended.
        rss: resident set size.
    """

    pss: int
    uss: int
    rss: int


class RunningServer:
    """One server process.

    Attributes:
        address: "127.0.0.1:PORT".
        pid: of the process.
        ready_after_s: seconds from the start of the process to its ready line.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.pid = process.pid
        self.address = ""
        self.ready_after_s = 0.0
        self._process = process
        self._log = log
        self._killed = False

    def channel(self, **options: str | int) -> grpc.Channel:
        """Opens a new connection; `options` are gRPC channel arguments without "grpc."."""
        arguments: dict[str, str | int] = {
            "use_local_subchannel_pool": 1,
            "max_receive_message_length": _LARGEST_MESSAGE,
            **options,
        }
        return grpc.insecure_channel(
            self.address, [(f"grpc.{name}", value) for name, value in arguments.items()]
        )

    def memory(self) -> Memory:
        """Returns the memory of the process now."""
        import psutil  # imported late: `make demo` runs a server without the tools

        info = psutil.Process(self.pid).memory_full_info()
        return Memory(info.pss, info.uss, info.rss)

    def maps(self) -> str:
        """Returns the files mapped into the process (/proc/PID/maps)."""
        return Path(f"/proc/{self.pid}/maps").read_text()

    def log(self) -> str:
        """Returns what the process has written to its standard error."""
        return self._log.read_text(errors="replace")

    def logged_pids(self, event: str) -> set[int]:
        """Returns the process ids in the log entries of an event."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return {line["pid"] for line in lines if line["event"] == event}

    def terminate(self) -> None:
        """Asks the process to end (SIGTERM), and does not wait for it."""
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Asks the process to end without its lame duck time, as Ctrl-C does (SIGINT), and does not wait for it."""
        self._process.send_signal(signal.SIGINT)

    def wait(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Waits for the end of the process.

        Raises:
            ServerFailed: it has not ended in time, or not with exit status 0.
        """
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise self._failure(
                f"was still running {timeout_s:.0f} s after it was asked to end"
            ) from None
        if status != 0 and not self._killed:
            raise self._failure(f"ended with status {status}")

    def kill(self) -> None:
        """Ends the process as a power cut would (SIGKILL)."""
        self._killed = True
        self._process.kill()
        self._process.wait()

    def _wait_until_ready(self, started: float) -> None:
        """Reads the one line that the server prints when it takes calls."""
        stdout = self._process.stdout
        assert stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            if not ready.select(_START_TIMEOUT_S):
                raise self._failure(f"was not ready after {_START_TIMEOUT_S:.0f} s")
        line = stdout.readline().strip()
        self.ready_after_s = time.monotonic() - started
        if not line.startswith(_READY):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            raise self._failure(f"did not start (status {self._process.poll()})")
        self.address = line.removeprefix(_READY)

    def _failure(self, what: str) -> ServerFailed:
        return ServerFailed(f"the server {what}; the end of its log:\n{self.log()[-4000:]}")


@contextlib.contextmanager
def running_server(
    *, module: str = "facewire_server", **settings: object
) -> Iterator[RunningServer]:
    """Runs `facewire-server run` on a free port with an empty gallery, until the block ends.

    The server is then asked to end, and must do so cleanly.

    Args:
        module: what `python -m` runs in its place.
        **settings: of `facewire_server.configuration.settings.Settings`; they win over these defaults.

    Raises:
        ServerFailed: it does not start, or does not end cleanly.
    """
    settings.setdefault("lame_duck_s", 0)  # no proxy asks for its health
    with _running([sys.executable, "-m", module], REPOSITORY, settings) as server:
        yield server


@contextlib.contextmanager
def running_checkout(
    checkout: Path, *, open_files: int, **settings: object
) -> Iterator[RunningServer]:
    """Runs the server of another checkout, with a limit of open files that it cannot raise; else as `running_server`."""
    code = (
        "import os, resource, sys;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({open_files}, {open_files}));"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    command = [sys.executable, "-c", code, "-m", "facewire_server"]
    with _running(command, checkout, settings) as server:
        yield server


@contextlib.contextmanager
def _running(
    command: list[str], checkout: Path, settings: dict[str, object]
) -> Iterator[RunningServer]:
    with tempfile.TemporaryDirectory(prefix="facewire-") as scratch:
        log = Path(scratch) / "stderr"
        values = {
            "listen": "127.0.0.1:0",
            "data": Path(scratch) / "data",
            "models": REPOSITORY / "models",
            **settings,
        }
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
        started = time.monotonic()
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [*command, "run", *flags],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=_environment(checkout),
                cwd=scratch,
            )
        server = RunningServer(process, log)
        with process:
            try:
                server._wait_until_ready(started)
                yield server
                if process.poll() is None:
                    server.interrupt()
                server.wait()
            finally:
                process.kill()


def _environment(checkout: Path) -> dict[str, str]:
    """Returns this process' environment without FACEWIRE settings, and with the checkout's code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACEWIRE_")}
    rooms = [str(checkout / room) for room in ("server", "clients/python")] + [str(REPOSITORY)]
    return {**kept, "PYTHONPATH": os.pathsep.join(rooms)}
